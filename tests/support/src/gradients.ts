import type { GradientStrategy } from '@multigrad/core/strategy';
import { integrateMatrix } from '@multigrad/core/strategy';
import fc from 'fast-check';
import { expect } from 'vitest';

/** The matrix of most published values. */
export const steep: readonly number[][] = [
  [-4, 1, 1],
  [6, 1, 1],
];

/** Three gradients of which two are orthogonal and the third conflicts with one of them. */
export const bent: readonly number[][] = [
  [0, 1],
  [1, -1],
  [1, 0],
];

/** The inner product. */
export function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return Array.from(a).reduce((sum, value, at) => sum + value * b[at]!, 0);
}

/** The Euclidean length, whatever its scale. */
export function norm(a: ArrayLike<number>): number {
  return Math.hypot(...Array.from(a));
}

/** Expects two vectors to agree to an absolute tolerance. */
export function expectVector(
  found: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance = 1e-9,
): void {
  expect(found.length).toBe(expected.length);
  Array.from(expected).forEach((value, at) => {
    expect(Math.abs(found[at]! - value)).toBeLessThanOrEqual(tolerance);
  });
}

/** Expects two vectors of numbers near 1 to agree as far as float32 tells. */
export function expectClose(found: ArrayLike<number>, expected: ArrayLike<number>): void {
  expectVector(found, expected, 5e-6);
}

/** K = 2 … 6 rows of 2 … 7 numbers, their lengths up to a thousand times apart. */
export const jacobians: fc.Arbitrary<number[][]> = fc
  .tuple(fc.integer({ min: 2, max: 6 }), fc.integer({ min: 2, max: 7 }))
  .chain(([rows, columns]) => {
    const entry = fc.integer({ min: -100, max: 100 }).map((value) => value / 10);
    const row = fc.tuple(
      fc.array(entry, { minLength: columns, maxLength: columns }),
      fc.constantFrom(0.03, 1, 30),
    );
    return fc.array(
      row.map(([values, factor]) => values.map((value) => value * factor)),
      { minLength: rows, maxLength: rows },
    );
  });

/** Expects that an update conflicts with no gradient, within rounding. */
export function expectNoConflict(strategy: GradientStrategy, jacobian: readonly number[][]): void {
  const { update, weights } = integrateMatrix(strategy, jacobian);
  const size = jacobian.reduce(
    (sum, row, k) => sum + Math.abs(weights[k]!) * Math.sqrt(dot(row, row)),
    0,
  );
  for (const row of jacobian) {
    expect(dot(update, row)).toBeGreaterThanOrEqual(-1e-9 * size * Math.sqrt(dot(row, row)));
  }
}
