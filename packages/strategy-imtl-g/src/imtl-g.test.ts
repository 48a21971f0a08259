import {
  createStrategy,
  gramianOf,
  groupGradients,
  integrateMatrix,
} from '@multigrad/core/strategy';
import { bent, dot, expectVector, norm, steep } from '@multigrad/test-support';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { imtlG, plugin } from './index.ts';

function integrate(jacobian: readonly (readonly number[])[]) {
  return integrateMatrix(imtlG(), jacobian);
}

/** Rows e_i plus something small: linearly independent, and well so. */
const independent = fc.integer({ min: 1, max: 5 }).chain((rows) =>
  fc
    .array(fc.array(fc.integer({ min: -9, max: 9 }), { minLength: rows, maxLength: rows }), {
      minLength: rows,
      maxLength: rows,
    })
    .map((noise) =>
      noise.map((row, i) => row.map((value, j) => value / 50 + (i === j ? i + 1 : 0))),
    ),
);

describe('imtlG', () => {
  it('has the published values', () => {
    const { weights, update } = integrate(steep);
    expectVector(update, [0.0766968306, 1, 1]);
    expectVector(weights, [0.5923, 0.4077], 5e-5);
    expectVector(integrate(bent).update, [0.6357964818, 0.2284070364]);
  });

  it('has the same projection on every one of independent gradients, at very different lengths', () => {
    const exponent = fc.integer({ min: -3, max: 3 });
    fc.assert(
      fc.property(independent, fc.array(exponent, { minLength: 5 }), (rows, exponents) => {
        const jacobian = rows.map((row, k) => row.map((value) => value * 10 ** exponents[k]!));
        const before = structuredClone(jacobian);
        const { weights, update, note } = integrate(jacobian);
        expect(jacobian).toEqual(before);
        if (note !== undefined) return;
        const size = jacobian.reduce(
          (total, row, k) => total + Math.abs(weights[k]!) * norm(row),
          0,
        );
        const projections = jacobian.map((row) => dot(update, row) / norm(row));
        for (const projection of projections) {
          expect(Math.abs(projection - projections[0]!)).toBeLessThanOrEqual(1e-11 * size);
        }
        expect(weights.reduce((total, weight) => total + weight, 0)).toBeCloseTo(1, 9);
      }),
    );
  });

  it('is the exact inverse for two objectives: weights by the other length', () => {
    const { weights } = integrate([
      [3, 4],
      [0, 1],
    ]);
    expectVector(weights, [1 / 6, 5 / 6], 1e-14);
    expectVector(integrate([[3, -4]]).weights, [1], 1e-15);
  });

  it('stands still at Pareto stationary gradients', () => {
    const stationary = [
      [[0, 0]],
      [
        [3, 1],
        [-3, -1],
      ],
      [
        [3, 1],
        [-6, -2],
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
  });

  it('stands still where the weights are 0/0 for another reason', () => {
    // v = C⁻¹ 1 / lengths sums to zero for some lengths of one row whose entry of C⁻¹ 1 is negative.
    const units = [
      [1, 0, 0],
      [Math.cos(1), Math.sin(1), 0],
      [Math.cos(0.5), Math.sin(0.5), 0.1],
    ];
    const rows = (length: number) => [
      units[0]!,
      units[1]!,
      units[2]!.map((value) => value * length),
    ];
    let [low, high] = [0.5, 2];
    const sign = (length: number) => {
      const { update, note } = integrate(rows(length));
      return note === undefined ? Math.sign(dot(update, units[0]!)) : 0;
    };
    const [first, last] = [sign(low), sign(high)];
    expect(first * last).toBe(-1);
    let note: string | undefined;
    for (let turn = 0; turn < 60 && note === undefined; turn++) {
      const middle = (low + high) / 2;
      note = integrate(rows(middle)).note;
      if (sign(middle) === first) low = middle;
      else high = middle;
    }
    expect(note).toBe('degenerate');
  });

  it('lets zero gradients take no part', () => {
    const [a, b] = integrate(steep).weights;
    expectVector(
      integrate([[0, 0, 0], steep[0]!, [0, 0, 0], steep[1]!]).weights,
      [0, a!, 0, b!],
      0,
    );
  });

  it('shares the weight of duplicates, also of those that only the stated error makes so', () => {
    const duplicated = [steep[0]!, steep[1]!, steep[0]!];
    const expected = integrate(duplicated).weights;
    const [a, b] = integrate(steep).weights;
    expectVector(expected, [a! / 2, b!, a! / 2], 1e-12);
    const values = gramianOf(duplicated).values;
    values[0]! *= 1 - 1e-7;
    const seen = groupGradients({
      objectives: ['a', 'b', 'c'],
      gramian: { size: 3, values, relativeError: 2 ** -22 },
    });
    expectVector(imtlG().integrate(seen, null).weights, [...expected], 1e-6);
  });

  it('may conflict with every objective', () => {
    const { update, weights } = integrate([
      [1, 0, 0],
      [Math.cos(1), Math.sin(1), 0],
      [0.5 * Math.cos(0.5), 0.5 * Math.sin(0.5), 0.05],
    ]);
    expect(Math.min(...weights)).toBeLessThan(0);
    expect(update[0]).toBeLessThan(0);
  });
});

describe('plugin', () => {
  it('describes the factory', () => {
    expect(plugin.name).toBe(imtlG().name);
    expect(createStrategy(plugin).needs).toEqual({ gradients: 'gramian' });
    expect(() => createStrategy(plugin, { c: '1' })).toThrow('`imtl-g` has no option `c`');
  });
});
