import { MultigradError } from '../base/errors.ts';

/**
 * The point of the simplex `{ w >= 0, Σ w_k = 1 }` nearest to a vector: `w_k = max(0, x_k − τ)`.
 *
 * @param x - K finite numbers, K >= 1
 * @returns K numbers >= 0 that add up to 1, a new array
 * @throws MultigradError `invalid-argument` when there is no number or one is not finite
 *
 * @see Held, Wolfe and Crowder, Validation of subgradient optimization, Mathematical Programming 6 (1974)
 *
 * @example
 * ```ts
 * import { projectOntoSimplex } from '@multigrad/core/strategy';
 *
 * console.log(projectOntoSimplex(Float64Array.of(0.5, 1.5, -1))); // 0, 1, 0
 * ```
 */
export function projectOntoSimplex(x: Float64Array): Float64Array {
  if (x.length === 0 || x.some((value) => !Number.isFinite(value))) {
    throw new MultigradError(
      'invalid-argument',
      `A vector to project should hold at least one number, all finite. Found [${x.join(', ')}].`,
    );
  }
  const greatest = x.reduce((most, value) => Math.max(most, value));
  // Subtract the greatest number first: those that keep a weight lie within 1 of it.
  const shifted = x.map((value) => value - greatest);
  const sorted = Float64Array.from(shifted).sort().reverse();
  let sum = 0;
  let threshold = 0;
  sorted.forEach((value, k) => {
    sum += value;
    const candidate = (sum - 1) / (k + 1);
    if (value > candidate) threshold = candidate;
  });
  const projected = shifted.map((value) => Math.max(0, value - threshold));
  const total = projected.reduce((a, b) => a + b, 0);
  return projected.map((value) => value / total);
}
