import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { solveNonNegative } from './non-negative-least-squares.ts';

const entry = fc.integer({ min: -4, max: 4 });

/** A positive semi-definite matrix A Aᵀ of whole numbers, its square root A, and a vector. */
const problems = fc
  .tuple(fc.integer({ min: 1, max: 7 }), fc.integer({ min: 1, max: 7 }))
  .chain(([size, columns]) =>
    fc.record({
      root: fc.array(fc.array(entry, { minLength: columns, maxLength: columns }), {
        minLength: size,
        maxLength: size,
      }),
      vector: fc.array(entry, { minLength: size, maxLength: size }),
    }),
  );

const gram = (root: readonly (readonly number[])[], ridge: number): Float64Array =>
  Float64Array.from(
    root.flatMap((a, i) =>
      root.map((b, j) => a.reduce((sum, x, c) => sum + x * b[c]!, i === j ? ridge : 0)),
    ),
  );

const times = (matrix: Float64Array, x: Float64Array): Float64Array =>
  x.map((_, i) => x.reduce((sum, value, j) => sum + matrix[i * x.length + j]! * value, 0));

describe('solveNonNegative', () => {
  it('meets the optimality conditions: H x − b >= 0, and = 0 where x > 0', () => {
    fc.assert(
      fc.property(problems, ({ root, vector }) => {
        const matrix = gram(root, 1);
        const { values, ray } = solveNonNegative(matrix, Float64Array.from(vector));
        expect(ray).toBe(false);
        const image = times(matrix, values);
        const size = Math.max(1, ...values) * Math.max(...matrix);
        values.forEach((value, i) => {
          const slack = image[i]! - vector[i]!;
          expect(value).toBeGreaterThanOrEqual(0);
          expect(slack).toBeGreaterThanOrEqual(-1e-12 * size);
          if (value > 0) expect(Math.abs(slack)).toBeLessThanOrEqual(1e-12 * size);
        });
      }),
      { numRuns: 500 },
    );
  });

  it('finds a solution for a singular matrix where there is one, or else a ray', () => {
    fc.assert(
      fc.property(problems, ({ root, vector }) => {
        const matrix = gram(root, 0);
        const { values, ray } = solveNonNegative(matrix, Float64Array.from(vector));
        const image = times(matrix, values);
        const size = Math.max(1, ...values) * Math.max(...matrix);
        expect(Math.min(...values)).toBeGreaterThanOrEqual(0);
        if (ray) {
          expect(Math.max(...image.map(Math.abs))).toBeLessThanOrEqual(1e-11 * size);
          expect(values.reduce((sum, value, i) => sum + value * vector[i]!, 0)).toBeGreaterThan(0);
          return;
        }
        values.forEach((value, i) => {
          const slack = image[i]! - vector[i]!;
          expect(slack).toBeGreaterThanOrEqual(-1e-11 * size);
          if (value > 0) expect(Math.abs(slack)).toBeLessThanOrEqual(1e-11 * size);
        });
      }),
      { numRuns: 1000 },
    );
  });

  it('solves small problems with known answers', () => {
    const solve = (matrix: readonly number[], vector: readonly number[]): unknown => {
      const { values, ray } = solveNonNegative(
        Float64Array.from(matrix),
        Float64Array.from(vector),
      );
      return [...values.map((value) => Number(value.toFixed(12))), ray];
    };
    expect(solve([2, 0, 0, 4], [2, 2])).toEqual([1, 0.5, false]);
    expect(solve([2, 0, 0, 4], [2, -2])).toEqual([1, 0, false]);
    expect(solve([1, 0.5, 0.5, 1], [1, 0.25])).toEqual([1, 0, false]);
    expect(solve([1, -1, -1, 1], [1, 1])).toEqual([1, 1, true]);
    expect(solve([1, -1, -1, 1], [1, -1])).toEqual([1, 0, false]);
    expect(solve([1], [-1])).toEqual([0, false]);
  });
});
