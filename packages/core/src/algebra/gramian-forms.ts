import type { Gramian } from './gramian.ts';

/**
 * The inner product of two gradients, `⟨g_i, g_j⟩ = G_ij`; with i = j the squared length of one.
 *
 * @param i - index of a gradient, 0 … K − 1
 * @param j - index of a gradient, 0 … K − 1
 *
 * @example
 * ```ts
 * import { gramianOf, innerProduct } from '@multigrad/core/strategy';
 *
 * console.log(innerProduct(gramianOf([[1, 2], [3, 4]]), 0, 1)); // 11
 * ```
 */
export function innerProduct({ size, values }: Gramian, i: number, j: number): number {
  return values[i * size + j]!;
}

/**
 * The inner products of every gradient with the combination `h = Σ_j w_j g_j`: `(G w)_k = ⟨h, g_k⟩`.
 *
 * @param weights - w, K numbers
 * @returns K numbers, a new array
 *
 * @example
 * ```ts
 * import { gramianOf, innerProducts } from '@multigrad/core/strategy';
 *
 * // The sum of these gradients conflicts with none of them.
 * console.log(innerProducts(gramianOf([[1, 0], [0, 2]]), Float64Array.of(1, 1))); // 1, 4
 * ```
 */
export function innerProducts(
  { size, values }: Pick<Gramian, 'size' | 'values'>,
  weights: Float64Array,
): Float64Array {
  const products = new Float64Array(size);
  for (let i = 0; i < size; i += 1) {
    const row = i * size;
    let sum = 0;
    for (let j = 0; j < size; j += 1) sum += values[row + j]! * weights[j]!;
    products[i] = sum;
  }
  return products;
}

/**
 * The quadratic form `wᵀ G w = |Σ_k w_k g_k|²`, the squared length of a combination of gradients.
 *
 * Rounding can make it less than zero, by up to `roundingError(G) (Σ |w_k| |g_k|)²`.
 *
 * @param weights - w, K numbers
 *
 * @example
 * ```ts
 * import { gramianOf, quadraticForm } from '@multigrad/core/strategy';
 *
 * console.log(quadraticForm(gramianOf([[3, 0], [0, 2]]), Float64Array.of(1, 2))); // 25
 * ```
 */
export function quadraticForm(
  { size, values }: Pick<Gramian, 'size' | 'values'>,
  weights: Float64Array,
): number {
  let form = 0;
  for (let i = 0; i < size; i += 1) {
    const row = i * size;
    let sum = 0;
    for (let j = 0; j < size; j += 1) sum += values[row + j]! * weights[j]!;
    form += weights[i]! * sum;
  }
  return form;
}

/**
 * The Gramian of gradients times factors: `f_i f_j G_ij`.
 *
 * @param factors - f, K numbers whose products float64 can hold
 *
 * @example
 * ```ts
 * import { gramianOf, scaledGramian } from '@multigrad/core/strategy';
 *
 * const gramian = gramianOf([[3, 0], [1, 2]]);
 * console.log(scaledGramian(gramian, Float64Array.of(1, 2)).values); // 9, 6, 6, 20
 * ```
 */
export function scaledGramian(gramian: Gramian, factors: Float64Array): Gramian {
  return changed(gramian, (value, i, j) => value * (factors[i]! * factors[j]!));
}

/**
 * The Gramian of gradients divided by numbers, `G_ij / d_i / d_j`: by their lengths, it is that of unit gradients.
 *
 * @param divisors - d, K numbers that are not zero
 *
 * @example
 * ```ts
 * import { dividedGramian, gramianOf, norms } from '@multigrad/core/strategy';
 *
 * const gramian = gramianOf([[3, 0], [2, 0]]);
 * console.log(dividedGramian(gramian, norms(gramian)).values); // 1, 1, 1, 1
 * ```
 */
export function dividedGramian(gramian: Gramian, divisors: Float64Array): Gramian {
  // One division after the other: no product that could overflow.
  return changed(gramian, (value, i, j) => value / divisors[i]! / divisors[j]!);
}

function changed(
  { size, values, relativeError }: Gramian,
  change: (value: number, i: number, j: number) => number,
): Gramian {
  const next = new Float64Array(values.length);
  for (let i = 0; i < size; i += 1) {
    for (let j = 0; j < size; j += 1) next[i * size + j] = change(values[i * size + j]!, i, j);
  }
  // Two operations round.
  return { size, values: next, relativeError: relativeError + 2 ** -52 };
}

/**
 * The Gramian of some of the gradients.
 *
 * @param indices - indices of the gradients, in the order wanted
 *
 * @example
 * ```ts
 * import { gramianOf, partOfGramian } from '@multigrad/core/strategy';
 *
 * console.log(partOfGramian(gramianOf([[1, 0], [0, 0], [1, 2]]), [0, 2]).values); // 1, 1, 1, 5
 * ```
 */
export function partOfGramian(gramian: Gramian, indices: readonly number[]): Gramian {
  const values = Float64Array.from(
    indices.flatMap((i) => indices.map((j) => innerProduct(gramian, i, j))),
  );
  return { size: indices.length, values, relativeError: gramian.relativeError };
}

/**
 * The error by which decisions on a Gramian are made, `e = relativeError + K · 2⁻⁵⁰`: the error that the Gramian
 * states, plus the rounding of what is solved with it.
 *
 * An inner product of `Σ w_k g_k` with `g_i` is known to `e |g_i| Σ |w_k| |g_k|`.
 *
 * @example
 * ```ts
 * import { gramianOf, roundingError } from '@multigrad/core/strategy';
 *
 * const gramian = gramianOf([[1, 2], [3, 4]]);
 * console.log(roundingError(gramian) === gramian.relativeError + 2 * 2 ** -50); // true
 * ```
 */
export function roundingError({ size, relativeError }: Gramian): number {
  return relativeError + size * 2 ** -50;
}

/**
 * Whether a combination `h = Σ w_k g_k` is zero as far as the Gramian can tell: `|h|² <= 4 e S²`, with the
 * {@link roundingError} e and `S = Σ |w_k| |g_k|`. Where this holds for weights >= 0, the gradients are Pareto
 * stationary.
 *
 * Both lengths may be scaled by the same factor, so that no square overflows.
 *
 * @param squaredLength - `|h|²`
 * @param uncancelled - S, what the length would be if nothing cancelled
 *
 * @example
 * ```ts
 * import { gramianOf, isZeroWithinError } from '@multigrad/core/strategy';
 *
 * const gramian = gramianOf([[1, 2], [-1, -2]]);
 * console.log(isZeroWithinError(gramian, 1e-17, 2 * Math.sqrt(5))); // true
 * ```
 */
export function isZeroWithinError(
  gramian: Gramian,
  squaredLength: number,
  uncancelled: number,
): boolean {
  return squaredLength <= 4 * roundingError(gramian) * uncancelled * uncancelled;
}
