import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { projectOntoDualCone } from './dual-cone.ts';
import { gramianOf } from './gramian-of.ts';

const entry = fc.integer({ min: -30, max: 30 }).map((value) => value / 10);
const length = fc.integer({ min: -3, max: 3 }).map((power) => 10 ** power);

/** K = 1 … 8 rows of 1 … 9 numbers with norms from 1e-3 to 1e3, dependent ones among them. */
const problems = fc
  .tuple(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 9 }))
  .chain(([rows, columns]) =>
    fc.tuple(
      fc.array(
        fc
          .tuple(fc.array(entry, { minLength: columns, maxLength: columns }), length)
          .map(([row, factor]) => row.map((value) => value * factor)),
        { minLength: rows, maxLength: rows },
      ),
      fc.array(entry, { minLength: rows, maxLength: rows }),
    ),
  );

const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a).reduce((sum, value, c) => sum + value * b[c]!, 0);

const combine = (jacobian: readonly number[][], v: ArrayLike<number>): number[] =>
  jacobian[0]!.map((_, c) => jacobian.reduce((sum, row, k) => sum + row[c]! * v[k]!, 0));

describe('projectOntoDualCone', () => {
  it('has the closed form of two gradients', () => {
    const gramian = gramianOf([
      [-4, 1, 1],
      [6, 1, 1],
    ]);
    const [a, b] = [...projectOntoDualCone(gramian, Float64Array.of(1, 0))];
    expect(a).toBe(1);
    expect(b).toBeCloseTo(22 / 38, 14);
    const half = projectOntoDualCone(gramian, Float64Array.of(0.5, 0.5));
    expect(half[0]).toBeCloseTo(0.6111111111111, 12);
    expect(half[1]).toBe(0.5);
  });

  it('meets the optimality conditions', () => {
    fc.assert(
      fc.property(problems, ([jacobian, start]) => {
        const u = Float64Array.from(start);
        const v = projectOntoDualCone(gramianOf(jacobian), u);
        const update = combine(jacobian, v);
        const size = jacobian.reduce(
          (sum, row, k) =>
            sum + Math.sqrt(dot(row, row)) * Math.max(Math.abs(v[k]!), Math.abs(u[k]!)),
          0,
        );
        jacobian.forEach((row, k) => {
          const own = Math.sqrt(dot(row, row));
          const product = dot(update, row);
          expect(v[k]!).toBeGreaterThanOrEqual(u[k]!);
          expect(product).toBeGreaterThanOrEqual(-1e-9 * own * size);
          if (v[k]! > u[k]!) expect(Math.abs(product)).toBeLessThanOrEqual(1e-9 * own * size);
        });
      }),
    );
  });

  it('vanishes for opposite gradients and leaves zero ones alone', () => {
    const opposite = [
      [2, 0],
      [-1, 0],
      [0, 0],
    ];
    const v = projectOntoDualCone(gramianOf(opposite), Float64Array.of(1, 0, 5));
    expect(Math.hypot(...combine(opposite, v))).toBeLessThan(1e-15);
    expect(v[2]).toBe(5);
  });

  it('does not change when J is scaled', () => {
    const rows = [
      [-4, 1, 1],
      [6, 1, 1],
      [-1, -2, 0.5],
    ];
    const u = Float64Array.of(1, 0.5, 2);
    const plain = projectOntoDualCone(gramianOf(rows), u);
    for (const scale of [1e-150, 1e-15, 1e15, 1e150]) {
      const scaled = projectOntoDualCone(
        gramianOf(rows.map((row) => row.map((x) => x * scale))),
        u,
      );
      scaled.forEach((value, k) => expect(value / plain[k]!).toBeCloseTo(1, 9));
    }
  });

  it('refuses other than K finite numbers', () => {
    const gramian = gramianOf([[1]]);
    expect(() => projectOntoDualCone(gramian, Float64Array.of(1, 2))).toThrow('Found 2.');
    expect(() => projectOntoDualCone(gramian, Float64Array.of(NaN))).toThrow('Found NaN at 0.');
  });
});
