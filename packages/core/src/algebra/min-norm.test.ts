import {
  combineExactly,
  dotExactly,
  exactGradients,
  minNormPointExactly,
  nearestDouble,
} from '@multigrad/test-support';
import fc from 'fast-check';
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

/** The squared norm of the shortest point, without rounding until its last digit. */
function exactSquaredNorm(jacobian: readonly number[][]): number {
  const gradients = exactGradients(jacobian);
  const point = combineExactly(gradients, minNormPointExactly(gradients));
  return nearestDouble(dotExactly(point, point));
}

const product = ({ size, values }: Gramian, w: Float64Array): Float64Array =>
  Float64Array.from({ length: size }, (_, i) =>
    w.reduce((sum, weight, j) => sum + values[i * size + j]! * weight, 0),
  );

/** Lengths of the rows, and the sum of those in use by weight. */
function sizes(gramian: Gramian, w: Float64Array): { lengths: Float64Array; spread: number } {
  const lengths = norms(gramian);
  return { lengths, spread: w.reduce((sum, weight, k) => sum + weight * lengths[k]!, 0) };
}

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

  it('satisfies the optimality conditions: one bound on all (Gw)_i, met where w_i > 0', () => {
    fc.assert(
      fc.property(jacobians, (jacobian) => {
        const gramian = gramianOf(jacobian);
        const { weights, squaredNorm, stationary } = minNormPoint(gramian);
        const { lengths, spread } = sizes(gramian, weights);
        const image = product(gramian, weights);
        const unit = gramian.size * 2 ** -50 * spread;
        const form = weights.reduce((sum, weight, i) => sum + weight * image[i]!, 0);
        expect(Math.abs(squaredNorm - form)).toBeLessThanOrEqual(unit * spread);
        expect(weights.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 14);
        expect(Math.min(...weights)).toBeGreaterThanOrEqual(0);
        if (stationary) {
          const error = gramian.relativeError + gramian.size * 2 ** -50;
          expect(squaredNorm).toBeLessThanOrEqual(4 * error * spread * spread * (1 + 1e-12));
          return;
        }
        weights.forEach((weight, i) => {
          // What the remarks promise, before the Gramian's own error.
          expect(image[i]!).toBeGreaterThanOrEqual(-unit * lengths[i]!);
          if (weight === 0) return;
          lengths.forEach((length, j) => {
            const rounding = 4 * unit * (lengths[i]! + length);
            expect(image[i]! - image[j]!).toBeLessThanOrEqual(rounding);
          });
        });
      }),
      { numRuns: 500 },
    );
  });

  it('is as short as the point found without rounding', () => {
    const rows = fc
      .tuple(fc.integer({ min: 2, max: 6 }), fc.integer({ min: 1, max: 6 }))
      .chain(([size, columns]) =>
        fc.array(
          fc.tuple(
            fc.array(fc.integer({ min: -3, max: 3 }), { minLength: columns, maxLength: columns }),
            fc.constantFrom(1, 1, 3, 2 ** 20),
          ),
          { minLength: size, maxLength: size },
        ),
      );
    fc.assert(
      fc.property(rows, (scaledRows) => {
        const jacobian = scaledRows.map(([row, factor]) => row.map((value) => value * factor));
        const gramian = gramianOf(jacobian);
        const { weights, squaredNorm } = minNormPoint(gramian);
        const { spread } = sizes(gramian, weights);
        const difference = Math.abs(squaredNorm - exactSquaredNorm(jacobian));
        const error = gramian.relativeError + gramian.size * 2 ** -50;
        expect(difference).toBeLessThanOrEqual(4 * error * spread * spread);
      }),
      { numRuns: 500 },
    );
  });

  it('is no longer than any point on the way to a corner', () => {
    fc.assert(
      fc.property(jacobians, (jacobian) => {
        const gramian = gramianOf(jacobian);
        const { weights, squaredNorm } = minNormPoint(gramian);
        const { lengths, spread } = sizes(gramian, weights);
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
        const point = minNormPoint(gramianOf(jacobian));
        const other = minNormPoint(gramianOf(shuffled));
        const { spread } = sizes(gramianOf(jacobian), point.weights);
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

  it('never returns a negative weight for rows that cancel', () => {
    const cancelling = [
      [0.7, -0.6],
      [-1.4, 1.2],
      [0.5, 0.5],
    ];
    const { weights, stationary } = minNormPoint(gramianOf(cancelling));
    expect(Math.min(...weights)).toBe(0);
    expect(stationary).toBe(true);
  });

  it('is stationary exactly where the squared norm is within four errors of the rows in use', () => {
    // Two unit rows at an angle: w·Gw = (1 + cos) / 2 and S = 1.
    const pair = (form: number, error: number): boolean =>
      minNormPoint({
        size: 2,
        values: Float64Array.of(1, 2 * form - 1, 2 * form - 1, 1),
        relativeError: error,
      }).stationary;
    for (const error of [2 ** -22, 1e-12]) {
      expect(pair(3.99 * error, error)).toBe(true);
      expect(pair(4.05 * error, error)).toBe(false);
    }
    // A Gramian said to be exact: the solver's own rounding remains.
    expect(pair(2 ** -48, 0)).toBe(true);
    expect(pair(2 ** -46, 0)).toBe(false);
  });

  it('copes with a Gramian that float32 noise has made indefinite', () => {
    fc.assert(
      fc.property(jacobians, fc.integer(), (jacobian, seed) => {
        const clean = gramianOf(jacobian);
        const { size } = clean;
        const lengths = norms(clean);
        const random = resumeRandom(randomState(seed, 'noise'));
        const relativeError = 2 ** -22;
        const values = clean.values.slice();
        for (let i = 0; i < size; i += 1) {
          for (let j = i; j < size; j += 1) {
            const noise = (2 * random.uniform() - 1) * relativeError * lengths[i]! * lengths[j]!;
            values[i * size + j]! += noise;
            values[j * size + i] = values[i * size + j]!;
          }
        }
        const { weights, stationary } = minNormPoint({ size, values, relativeError });
        expect(weights.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 14);
        expect(Math.min(...weights)).toBeGreaterThanOrEqual(0);
        if (stationary) return;
        // By the true inner products nothing rises by more than the stated error.
        const h = jacobian[0]!.map((_, c) =>
          jacobian.reduce((sum, row, k) => sum + weights[k]! * row[c]!, 0),
        );
        const allowed = Math.sqrt(relativeError / 3) * 1.01;
        jacobian.forEach((row, k) => {
          const inner = row.reduce((sum, value, c) => sum + value * h[c]!, 0);
          expect(inner).toBeGreaterThanOrEqual(-allowed * Math.hypot(...h) * lengths[k]!);
        });
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ['more rows than numbers in them', 300, 40, 0.6, 41],
    ['512 rows, most of them in use', 512, 600, 0, 512],
  ])('solves %s', (_, rows, columns, shift, most) => {
    const random = resumeRandom(randomState(1, 'many rows'));
    const gramian = gramianOf(
      Array.from({ length: rows }, () =>
        Float64Array.from({ length: columns }, () => random.normal() + shift),
      ),
    );
    const { weights, squaredNorm, stationary } = minNormPoint(gramian);
    const image = product(gramian, weights);
    expect(stationary).toBe(false);
    expect(Math.min(...image)).toBeGreaterThanOrEqual(squaredNorm * (1 - 1e-11));
    const used = [...weights.keys()].filter((k) => weights[k]! > 0);
    for (const k of used) expect(Math.abs(image[k]! / squaredNorm - 1)).toBeLessThan(1e-11);
    expect(used.length).toBeGreaterThan(5);
    expect(used.length).toBeLessThanOrEqual(most);
  });
});
