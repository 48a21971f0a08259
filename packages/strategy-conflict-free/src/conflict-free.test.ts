import {
  createStrategy,
  gramianOf,
  groupGradients,
  integrateMatrix,
} from '@multigrad/core/strategy';
import { bent, dot, expectVector, norm, steep } from '@multigrad/test-support';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { conflictFree, type ConflictFreeOptions, plugin } from './index.ts';

function integrate(jacobian: readonly (readonly number[])[], options?: ConflictFreeOptions) {
  return integrateMatrix(conflictFree(options), jacobian);
}

/** Rows e_i times i, plus something small: linearly independent, and well so. */
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
const exponents = fc.array(fc.integer({ min: -3, max: 3 }), { minLength: 5, maxLength: 5 });

describe('conflictFree', () => {
  it('has the published values', () => {
    expectVector(integrate(steep).update, [0.1588089758, 2.0706067581, 2.0706067581]);
    expectVector(integrate(bent).update, [1.6285393611, 0.7777777778]);
  });

  it('has the preferred cosines with independent gradients, and the length of their projections', () => {
    const preference = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 5, maxLength: 5 });
    fc.assert(
      fc.property(independent, exponents, preference, (rows, powers, preferred) => {
        const jacobian = rows.map((row, k) => row.map((value) => value * 10 ** powers[k]!));
        const before = structuredClone(jacobian);
        const { update, note } = integrate(jacobian, {
          preference: Object.fromEntries(preferred.map((value, k) => [String(k), value])),
        });
        expect(jacobian).toEqual(before);
        expect(note).toBeUndefined();
        const length = norm(update);
        const cosines = jacobian.map((row) => dot(update, row) / norm(row) / length);
        cosines.forEach((value, k) => {
          expect(value).toBeGreaterThan(0);
          const ratio = value / preferred[k]! / (cosines[0]! / preferred[0]!);
          expect(ratio).toBeCloseTo(1, 8);
        });
        const projected = jacobian.reduce((total, row) => total + dot(update, row) / length, 0);
        expect(length / projected).toBeCloseTo(1, 9);
      }),
    );
  });

  it('keeps its direction when a gradient is scaled', () => {
    fc.assert(
      fc.property(independent, exponents, (rows, powers) => {
        const scaled = rows.map((row, k) => row.map((value) => value * 10 ** powers[k]!));
        const [a, b] = [integrate(rows).update, integrate(scaled).update];
        expect(dot(a, b) / norm(a) / norm(b)).toBeCloseTo(1, 9);
      }),
    );
  });

  it('adds equal gradients up, and keeps one alone', () => {
    expectVector(integrate([[3, -4]]).weights, [1], 1e-15);
    expectVector(integrate([[3, -4]], { preference: { 0: 1e300 } }).weights, [1], 1e-15);
    const twice = integrate([
      [3, 1],
      [3, 1],
    ]);
    expectVector(twice.update, [6, 2], 1e-14);
    const orthogonal = integrate([
      [2, 0],
      [0, 2],
    ]);
    expectVector(orthogonal.update, [2, 2], 1e-14);
  });

  it('prefers by own names only, in proportion', () => {
    const rows = [
      [0, 1],
      [1, 0],
    ];
    const strategy = conflictFree({ preference: { b: 3, absent: 7 } });
    const { update } = integrateMatrix(strategy, rows, { objectives: ['a', 'b'] });
    // d = (3, 1) / √10, and the projections add up to 4 / √10.
    expectVector(update, [1.2, 0.4], 1e-14);
    const own = integrateMatrix(conflictFree({ preference: {} }), rows, {
      objectives: ['constructor', '__proto__'],
    });
    expectVector(own.update, [1, 1], 1e-14);
    const none = integrate(rows, { preference: { 0: 0, 1: 0 } });
    expect([...none.weights]).toEqual([0, 0]);
    expect(none.note).toBe('degenerate');
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
      for (const preference of [null, { 0: 0.3 }, { 1: 5 }]) {
        const { weights, note } = integrate(jacobian, { preference });
        expect([...weights]).toEqual(jacobian.map(() => 0));
        expect(note).toBe('stationary');
      }
    }
  });

  it('lets zero gradients take no part', () => {
    const [a, b] = integrate(steep).weights;
    expectVector(
      integrate([[0, 0, 0], steep[0]!, [0, 0, 0], steep[1]!]).weights,
      [0, a!, 0, b!],
      0,
    );
  });

  it('takes duplicates for such when only the stated error tells them apart', () => {
    const duplicated = [steep[0]!, steep[1]!, steep[0]!];
    const expected = integrate(duplicated).weights;
    expect(expected[0]).toBeCloseTo(expected[2]!, 12);
    for (const change of [1e-7, -1e-7]) {
      const { values } = gramianOf(duplicated);
      values[0]! *= 1 + change;
      const seen = groupGradients({
        objectives: ['a', 'b', 'c'],
        gramian: { size: 3, values, relativeError: 2 ** -22 },
      });
      expectVector(conflictFree().integrate(seen, null).weights, [...expected], 1e-5);
    }
  });

  it('may conflict where gradients are dependent', () => {
    // Least squares gives way to the three that agree.
    const turn = (degrees: number) => [
      Math.cos((degrees / 180) * Math.PI),
      Math.sin((degrees / 180) * Math.PI),
    ];
    const rows = [turn(0), turn(0), turn(0), turn(80), turn(170)];
    const { update } = integrate(rows);
    expect(Math.min(...rows.map((row) => dot(update, row)))).toBeLessThan(-0.01);
  });
});

describe('plugin', () => {
  it('describes the factory', () => {
    expect(plugin.name).toBe(conflictFree().name);
    expect(createStrategy(plugin).needs).toEqual({ gradients: 'gramian' });
    expect(() => plugin.create({ preference: { a: -1 } })).toThrow(
      'Option `preference.a` of `conflict-free` should be a finite number >= 0. Found -1.',
    );
  });
});
