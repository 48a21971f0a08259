/**
 * Marks functions of the epoch that take the number of their first batch as a second argument: a `fit` that resumes in
 * the midst of an epoch need not read what came before.
 */
export const startsAtBatch: unique symbol = Symbol.for('multigrad.startsAtBatch');

/**
 * Marks a function of the epoch and its first batch, so that a `fit` that resumes starts it where it stopped; of other
 * functions it reads the batches before and frees them.
 *
 * @example
 * ```ts
 * import { resumableBatches } from '@multigrad/core';
 *
 * const numbers = [[1, 2], [3, 4], [5]];
 * const data = resumableBatches((_epoch, firstBatch) => numbers.slice(firstBatch));
 * console.log(data(0, 1)); // [ [ 3, 4 ], [ 5 ] ]
 * ```
 */
export function resumableBatches<Batches>(
  batches: (epoch: number, firstBatch: number) => Batches,
): ((epoch: number, firstBatch?: number) => Batches) & { readonly [startsAtBatch]: true } {
  const source = (epoch: number, firstBatch = 0): Batches => batches(epoch, firstBatch);
  return Object.assign(source, { [startsAtBatch]: true as const });
}
