import fc from 'fast-check';
import { Matrix, SingularValueDecomposition } from 'ml-matrix';
import { describe, expect, it } from 'vitest';
import type { Gramian } from './gramian.ts';
import { gramianOf, norms } from './gramian-of.ts';
import { minNormPoint } from './min-norm.ts';
import { randomState, resumeRandom } from './random.ts';

const entry = fc.integer({ min: -1000, max: 1000 }).map((value) => value / 100);

/** Jacobians of 2 … 7 rows, with duplicated, opposite, dependent and badly scaled rows among them. */
const jacobians = fc
  .tuple(fc.integer({ min: 2, max: 7 }), fc.integer({ min: 1, max: 8 }))
  .chain(([rows, columns]) =>
    fc.tuple(
      fc.array(fc.array(entry, { minLength: columns, maxLength: columns }), {
        minLength: rows,
        maxLength: rows,
      }),
      fc.array(
        fc.record({
          copy: fc.nat(20),
          factor: fc.constantFrom(1, -1, 0.5),
          exponent: fc.integer({ min: -8, max: 8 }),
        }),
        {
          minLength: rows,
          maxLength: rows,
        },
      ),
    ),
  )
  .map(([rows, changes]) =>
    rows.map((row, k) => {
      const { copy, factor, exponent } = changes[k]!;
      const source = copy < k ? rows[copy]!.map((value) => value * factor) : row;
      return source.map((value) => value * 10 ** exponent);
    }),
  )
  .filter((rows) => rows.every((row) => row.some((value) => value !== 0)));

/** Brute force: of the stationary points of all faces, those with weights >= 0, the smallest squared norm. */
function shortestOverFaces({ size, values }: Gramian): number {
  let shortest = Infinity;
  for (let face = 1; face < 2 ** size; face += 1) {
    const rows = Array.from({ length: size }, (_, k) => k).filter((k) => (face >> k) & 1);
    const lengths = rows.map((k) => Math.sqrt(values[k * size + k]!));
    const longest = Math.max(...lengths);
    // Cosines C and v_k = w_k |g_k|: C v = λ a, aᵀ v = 1 with a = longest / |g_k|.
    const a = lengths.map((length) => longest / length);
    const cosines = rows.map((i, at) =>
      rows.map((j, to) => values[i * size + j]! / lengths[at]! / lengths[to]!),
    );
    const system = new Matrix([
      ...cosines.map((row, at) => [...row, -a[at]! / Math.max(...a)]),
      [...a.map((value) => value / Math.max(...a)), 0],
    ]);
    const svd = new SingularValueDecomposition(system);
    // Of dependent rows fewer do: the optimum lies on a face that is regular, too.
    if (svd.condition > 1e7) continue;
    const right = Matrix.zeros(rows.length + 1, 1);
    right.set(rows.length, 0, 1);
    const v = svd.solve(right).to1DArray().slice(0, rows.length);
    if (v.some((value) => value < 0)) continue;
    const w = v.map((value, at) => value * a[at]!);
    const total = w.reduce((sum, value) => sum + value, 0);
    const form = v.reduce(
      (sum, value, i) =>
        sum + value * v.reduce((inner, other, j) => inner + cosines[i]![j]! * other, 0),
      0,
    );
    shortest = Math.min(shortest, (form / total / total) * longest * longest);
  }
  return shortest;
}

const product = ({ size, values }: Gramian, w: Float64Array): Float64Array =>
  Float64Array.from({ length: size }, (_, i) =>
    w.reduce((sum, weight, j) => sum + values[i * size + j]! * weight, 0),
  );

describe('minNormPoint', () => {
  it('is the published point of the standard example', () => {
    const { weights, squaredNorm, stationary } = minNormPoint(
      gramianOf([
        [-4, 1, 1],
        [6, 1, 1],
      ]),
    );
    expect(weights[0]).toBeCloseTo(0.6, 14);
    expect(weights[1]).toBeCloseTo(0.4, 14);
    expect(squaredNorm).toBeCloseTo(2, 13);
    expect(stationary).toBe(false);
    const three = minNormPoint(
      gramianOf([
        [0, 1],
        [1, -1],
        [1, 0],
      ]),
    );
    expect([...three.weights].map((w) => Number(w.toFixed(12)))).toEqual([0.6, 0.4, 0]);
  });

  it('satisfies the optimality conditions: (Gw)_i >= w·Gw, with equality where w_i > 0', () => {
    fc.assert(
      fc.property(jacobians, (jacobian) => {
        const gramian = gramianOf(jacobian);
        const lengths = norms(gramian);
        const { weights, squaredNorm } = minNormPoint(gramian);
        const spread = weights.reduce((sum, w, k) => sum + w * lengths[k]!, 0);
        const image = product(gramian, weights);
        expect(weights.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 12);
        weights.forEach((weight, i) => {
          expect(weight).toBeGreaterThanOrEqual(0);
          const rounding = 1e-12 * spread * Math.max(lengths[i]!, spread);
          expect(image[i]! - squaredNorm).toBeGreaterThanOrEqual(-rounding);
          // The slack of a row in use is small against what moving its whole weight could gain.
          if (weight > 0)
            expect(weight * (image[i]! - squaredNorm)).toBeLessThanOrEqual(1e-12 * spread * spread);
        });
      }),
      { numRuns: 500 },
    );
  });

  it('is as short as the shortest point over all faces of the hull', () => {
    fc.assert(
      fc.property(jacobians, (jacobian) => {
        fc.pre(jacobian.length <= 6);
        const gramian = gramianOf(jacobian);
        const { weights, squaredNorm } = minNormPoint(gramian);
        const lengths = norms(gramian);
        const spread = weights.reduce((sum, w, k) => sum + w * lengths[k]!, 0);
        const shortest = shortestOverFaces(gramian);
        expect(squaredNorm).toBeLessThanOrEqual(shortest + 1e-12 * spread * spread);
        // The other way round the elimination of a singular face bounds what can be asked.
        expect(shortest).toBeLessThanOrEqual(squaredNorm + 1e-7 * spread * spread);
      }),
      { numRuns: 300 },
    );
  });

  it('is no longer than any point on the way to a corner', () => {
    fc.assert(
      fc.property(jacobians, (jacobian) => {
        const gramian = gramianOf(jacobian);
        const { weights, squaredNorm } = minNormPoint(gramian);
        const lengths = norms(gramian);
        const spread = weights.reduce((sum, w, k) => sum + w * lengths[k]!, 0);
        // Along every edge of the simplex from w to a corner the norm grows.
        lengths.forEach((_, corner) => {
          for (const step of [1e-3, 0.1, 0.5, 1]) {
            const moved = weights.map((w, k) => (1 - step) * w + (k === corner ? step : 0));
            const form = product(gramian, moved).reduce(
              (sum, value, k) => sum + value * moved[k]!,
              0,
            );
            expect(form).toBeGreaterThanOrEqual(squaredNorm - 1e-12 * spread * spread);
          }
        });
      }),
    );
  });

  it('is the same point whatever the order of the rows', () => {
    fc.assert(
      fc.property(jacobians, fc.integer(), (jacobian, seed) => {
        const order = resumeRandom(randomState(seed, 'order')).permutation(jacobian.length);
        const shuffled = Array.from(order, (k) => jacobian[k]!);
        const lengths = norms(gramianOf(jacobian));
        const point = minNormPoint(gramianOf(jacobian));
        const other = minNormPoint(gramianOf(shuffled));
        const spread = point.weights.reduce((sum, w, k) => sum + w * lengths[k]!, 0);
        expect(Math.abs(other.squaredNorm - point.squaredNorm)).toBeLessThanOrEqual(
          1e-12 * spread * spread,
        );
        // The weights need not agree (duplicated rows), the point does: |h − h'|² <= |h'|² − |h|².
        const at = (rows: readonly (readonly number[])[], weights: Float64Array): number[] =>
          rows[0]!.map((_, c) => rows.reduce((sum, row, k) => sum + weights[k]! * row[c]!, 0));
        const h = at(jacobian, point.weights);
        const distance = Math.hypot(
          ...at(shuffled, other.weights).map((value, c) => value - h[c]!),
        );
        expect(distance).toBeLessThanOrEqual(1e-6 * spread);
      }),
    );
  });

  it('does not change when J is scaled by 1e-150 … 1e150', () => {
    fc.assert(
      fc.property(jacobians, fc.constantFrom(1e-130, 1e-15, 1e15, 1e130), (jacobian, scale) => {
        const gramian = gramianOf(jacobian);
        // By a power of two nothing rounds: the weights agree to the last bit.
        const factor = 2 ** Math.round(Math.log2(scale));
        const scaled = {
          ...gramian,
          values: gramian.values.map((value) => value * factor * factor),
        };
        fc.pre(
          scaled.values.every(
            (value, i) => Number.isFinite(value) && (value === 0) === (gramian.values[i] === 0),
          ),
        );
        fc.pre(norms(scaled).every((length) => length > 1e-140 && length < 1e150));
        const point = minNormPoint(gramian);
        const other = minNormPoint(scaled);
        expect(other.stationary).toBe(point.stationary);
        point.weights.forEach((weight, k) => expect(other.weights[k]).toBeCloseTo(weight, 10));
      }),
    );
  });

  it('gives a point along which nothing rises, unless it is stationary', () => {
    fc.assert(
      fc.property(jacobians, (jacobian) => {
        const { weights, stationary } = minNormPoint(gramianOf(jacobian));
        if (stationary) return;
        const h = jacobian[0]!.map((_, c) =>
          jacobian.reduce((sum, row, k) => sum + weights[k]! * row[c]!, 0),
        );
        const length = Math.hypot(...h);
        for (const row of jacobian) {
          const inner = row.reduce((sum, value, c) => sum + value * h[c]!, 0);
          expect(inner).toBeGreaterThanOrEqual(-1e-7 * length * Math.hypot(...row));
        }
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    [
      'opposite rows',
      [
        [1, 2],
        [-1, -2],
      ],
      [0.5, 0.5],
      true,
    ],
    [
      'opposite rows of different length',
      [
        [3, 0],
        [-1, 0],
      ],
      [0.25, 0.75],
      true,
    ],
    [
      'nearly opposite rows',
      [
        [1, 1e-9],
        [-1, 0],
      ],
      [0.5, 0.5],
      true,
    ],
    [
      'a zero row',
      [
        [1, 2],
        [0, 0],
        [5, 1],
      ],
      [0, 1, 0],
      true,
    ],
    [
      'duplicated rows',
      [
        [2, 1],
        [2, 1],
      ],
      [0.5, 0.5],
      false,
    ],
    ['one row', [[2, 1]], [1], false],
    [
      'a short row inside of a long one',
      [
        [1, 0],
        [1000, 10],
      ],
      [1, 0],
      false,
    ],
    [
      'three rows around the origin',
      [
        [1, 0],
        [-0.5, 0.8],
        [-0.5, -0.8],
      ],
      [1 / 3, 1 / 3, 1 / 3],
      true,
    ],
  ])('knows %s', (_, jacobian, expected, stationary) => {
    const point = minNormPoint(gramianOf(jacobian));
    expect(point.stationary).toBe(stationary);
    point.weights.forEach((w, k) => expect(w).toBeCloseTo(expected[k]!, 8));
  });

  it('does not take a gradient a million times smaller than another for zero', () => {
    const float32 = 2 ** -22;
    const small = {
      ...gramianOf([
        [1e-6, 1e-7],
        [-3, 4],
      ]),
      relativeError: float32,
    };
    expect(minNormPoint(small).stationary).toBe(false);
    const opposite = {
      ...gramianOf([
        [1e-6, 1e-13],
        [-3, 0],
      ]),
      relativeError: float32,
    };
    expect(minNormPoint(opposite).stationary).toBe(true);
  });

  it('solves 300 rows, dependent ones among them', () => {
    const random = resumeRandom(randomState(1, 'many rows'));
    const jacobian = Array.from({ length: 300 }, () =>
      Array.from({ length: 40 }, () => random.normal() + 0.6),
    );
    const gramian = gramianOf(jacobian);
    const { weights, squaredNorm } = minNormPoint(gramian);
    const image = product(gramian, weights);
    expect(Math.min(...image)).toBeGreaterThanOrEqual(squaredNorm * (1 - 1e-9));
    expect(weights.filter((w) => w > 0).length).toBeGreaterThan(5);
    expect(weights.filter((w) => w > 0).length).toBeLessThanOrEqual(41);
  });
});
