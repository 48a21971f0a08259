import { createStrategy, groupGradients, integrateMatrix } from '@multigrad/core/strategy';
import { bent, dot, expectVector, norm, steep } from '@multigrad/test-support';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { edm, plugin } from './index.ts';

function integrate(jacobian: readonly (readonly number[])[]) {
  return integrateMatrix(edm(), jacobian);
}

const entry = fc.integer({ min: -1000, max: 1000 }).map((value) => value / 100);
const jacobians = fc
  .tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 8 }))
  .chain(([rows, columns]) =>
    fc.array(fc.array(entry, { minLength: columns, maxLength: columns }), {
      minLength: rows,
      maxLength: rows,
    }),
  );
const exponents = fc.array(fc.integer({ min: -3, max: 3 }), { minLength: 5, maxLength: 5 });

describe('edm', () => {
  it('has the values by hand', () => {
    // The bisector: weights by the other length.
    const [a, b] = [Math.sqrt(18), Math.sqrt(38)];
    const first = integrate(steep);
    expectVector(first.weights, [b / (a + b), a / (a + b)], 1e-15);
    expectVector(first.update, [0.0766968306, 1, 1]);
    // The bisector of the first two, at 67.5° from both; the third is at 22.5°.
    const root = Math.SQRT2;
    const second = integrate(bent);
    expectVector(second.weights, [root / (root + 1), 1 / (root + 1), 0], 1e-14);
    expectVector(second.update, [1 / (root + 1), (root - 1) / (root + 1)], 1e-14);
    expectVector(integrate([[3, -4]]).weights, [1], 0);
  });

  it('has the smallest largest angle (the optimality conditions), at very different lengths', () => {
    fc.assert(
      fc.property(jacobians, exponents, (rows, powers) => {
        const jacobian = rows.map((row, k) => row.map((value) => value * 10 ** powers[k]!));
        const before = structuredClone(jacobian);
        const { weights, note } = integrate(jacobian);
        expect(jacobian).toEqual(before);
        if (note === 'stationary') {
          expect([...weights]).toEqual(jacobian.map(() => 0));
          return;
        }
        expect(Math.min(...weights)).toBeGreaterThanOrEqual(0);
        expect(weights.reduce((total, weight) => total + weight, 0)).toBeCloseTo(1, 12);
        const units = jacobian.map((row) => row.map((value) => value / norm(row)));
        const shares = jacobian.map((row, k) => weights[k]! * norm(row));
        const total = shares.reduce((sum, share) => sum + share, 0);
        // The combination a of the unit gradients, of which u is a multiple.
        const point = units[0]!.map((_, at) =>
          units.reduce((sum, unit, k) => sum + (shares[k]! / total) * unit[at]!, 0),
        );
        const squared = dot(point, point);
        units.forEach((unit, k) => {
          const slack = dot(point, unit) - squared;
          expect(slack).toBeGreaterThanOrEqual(-1e-9);
          expect((shares[k]! / total) * slack).toBeLessThanOrEqual(1e-9);
        });
      }),
    );
  });

  it('keeps its direction when a gradient is scaled', () => {
    fc.assert(
      fc.property(jacobians, exponents, (rows, powers) => {
        const plain = integrate(rows);
        const scaled = integrate(
          rows.map((row, k) => row.map((value) => value * 10 ** powers[k]!)),
        );
        if (plain.note !== undefined || scaled.note !== undefined) return;
        const cosine = dot(plain.update, scaled.update) / norm(plain.update) / norm(scaled.update);
        expect(cosine).toBeCloseTo(1, 6);
      }),
    );
  });

  it('is stationary at opposite, zero and surrounding gradients', () => {
    const stationary = [
      [[0, 0]],
      [
        [1, 0],
        [0, 0],
      ],
      [
        [3, 1],
        [-3e-3, -1e-3],
      ],
      [
        [1, 0],
        [-1, 1],
        [-1, -1],
      ],
    ];
    for (const jacobian of stationary) {
      const { weights, note } = integrate(jacobian);
      expect([...weights]).toEqual(jacobian.map(() => 0));
      expect(note).toBe('stationary');
    }
    const values = Float64Array.of(1, -1 + 1e-7, -1 + 1e-7, 1);
    const opposite = groupGradients({
      objectives: ['a', 'b'],
      gramian: { size: 2, values, relativeError: 2 ** -22 },
    });
    expect(edm().integrate(opposite, null).note).toBe('stationary');
  });

  it('shares the weight of duplicates', () => {
    const [a, b] = integrate(steep).weights;
    const { weights } = integrate([steep[0]!, steep[1]!, steep[0]!]);
    expect(weights[0]! + weights[2]!).toBeCloseTo(a!, 9);
    expect(weights[1]).toBeCloseTo(b!, 9);
  });
});

describe('plugin', () => {
  it('describes the factory', () => {
    expect(plugin.name).toBe(edm().name);
    expect(createStrategy(plugin).needs).toEqual({ gradients: 'gramian' });
    expect(() => createStrategy(plugin, { c: '1' })).toThrow('`edm` has no option `c`');
  });
});
