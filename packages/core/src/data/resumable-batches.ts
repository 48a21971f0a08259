/**
 * A mark on a function of the epoch that takes the number of its first batch as a second argument. A `fit` that resumes in the
 * middle of an epoch then starts at that batch.
 */
export const startsAtBatch: unique symbol = Symbol.for('multigrad.startsAtBatch');

/**
 * Marks a function of the epoch and the first batch, so that a `fit` that resumes in the middle of an epoch starts at the right
 * batch. From other functions it reads the earlier batches again and frees them.
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
