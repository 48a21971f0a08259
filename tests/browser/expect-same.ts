import { expect } from 'vitest';
import { relativeDifference } from '../../packages/backends/src/testing/compare-backends.ts';
import type { Results } from './page/results.ts';

/** Largest difference, relative to the largest magnitude: float32 sums in another order, and five steps of training. */
const tolerance = 1e-5;

/** Expects a backend to compute what another does, to hold what it held before, and to refuse what is no number. */
export function expectSame(found: Results, reference: Results): void {
  expect(Object.keys(found.numbers)).toEqual(Object.keys(reference.numbers));
  const different = Object.entries(reference.numbers).flatMap(([key, expected]) => {
    const difference = relativeDifference(found.numbers[key]!, expected);
    return difference <= tolerance ? [] : [`${key}: ${difference}`];
  });
  expect(different).toEqual([]);
  // Equal zeros would prove nothing.
  expect(Math.max(...found.numbers['encoders a 0']!.map(Math.abs))).toBeGreaterThan(1e-5);
  for (const [what, [before, after]] of Object.entries(found.held)) {
    expect(after, what).toBe(before);
  }
  const [loss, gradient] = found.refused;
  expect(loss).toMatch(/loss of objective `c` should be finite\. Found NaN/);
  expect(gradient).toMatch(/`c` has a gradient that is not finite/);
}
