import { resumableBatches } from '@multigrad/core';
import { type ResolvedOptions, resolveOptions } from '@multigrad/core/strategy';
import { dispose, type TensorContainer } from '@tensorflow/tfjs-core';
import type { BatchSource } from './batch-source.ts';
import {
  type BatchesOptions,
  type BatchingOptions,
  batchingSpecs,
  epochSpecs,
} from './batching-options.ts';
import { epochOrder } from './epoch-order.ts';

/** The batches of one epoch, from `firstBatch` (0 if left out) on; iterating again starts again. */
export type EpochBatches<Batch extends TensorContainer> = (
  epoch: number,
  firstBatch?: number,
) => AsyncIterable<Batch>;

/**
 * The batches of one epoch.
 *
 * Each batch is made when it is asked for (with `prefetch`, begun a little earlier), and belongs to the consumer, who
 * disposes it. A consumer may stop early or throw: what was prefetched is disposed of. The order is a function of `shuffleSeed` and `epoch` alone: with `firstBatch` an
 * interrupted epoch goes on exactly where it stopped.
 *
 * @throws MultigradError `invalid-option` for an option out of its range
 *
 * @example
 * ```ts
 * import { batches, cgMnist, readMnist } from '@multigrad/datasets';
 * import '@tensorflow/tfjs-backend-cpu';
 * import * as tf from '@tensorflow/tfjs-core';
 *
 * const { train } = cgMnist({ mnist: await readMnist(), trainSize: 100 });
 * for await (const batch of batches(train, { batchSize: 32, shuffleSeed: 1, epoch: 3 })) {
 *   console.log(batch.color.shape); // [ 32, 28, 28, 3 ] … [ 4, 28, 28, 3 ]
 *   tf.dispose(batch);
 * }
 * ```
 */
export function batches<Batch extends TensorContainer>(
  source: BatchSource<Batch>,
  options: BatchesOptions = {},
): AsyncIterable<Batch> {
  const resolved = resolveOptions<BatchesOptions>(
    'batches',
    { ...batchingSpecs, ...epochSpecs },
    options,
  );
  return { [Symbol.asyncIterator]: () => iterate(source, resolved) };
}

/**
 * The batches of any epoch, as a function of the epoch: the form in which a trainer takes its data.
 *
 * @throws MultigradError `invalid-option` for an option out of its range, at once; for an epoch out of its range when
 * the function is called
 *
 * @example
 * ```ts
 * import { batchesByEpoch, cgMnist, readMnist } from '@multigrad/datasets';
 *
 * const { train } = cgMnist({ mnist: await readMnist(), trainSize: 100 });
 * const trainBatches = batchesByEpoch(train, { batchSize: 32, shuffleSeed: 1, dropRemainder: true });
 * const secondEpoch = trainBatches(1);
 * const restOfIt = trainBatches(1, 2); // from its third batch on
 * console.log(secondEpoch !== restOfIt); // true
 * ```
 */
export function batchesByEpoch<Batch extends TensorContainer>(
  source: BatchSource<Batch>,
  options: BatchingOptions = {},
): EpochBatches<Batch> {
  const resolved = resolveOptions('batchesByEpoch', batchingSpecs, options);
  return resumableBatches((epoch, firstBatch) =>
    batches(source, { ...resolved, epoch, firstBatch }),
  );
}

/**
 * Number of batches in one whole epoch: for progress bars and schedules.
 *
 * @throws MultigradError `invalid-option` for an option out of its range
 *
 * @example
 * ```ts
 * import { batchesPerEpoch } from '@multigrad/datasets';
 *
 * console.log(batchesPerEpoch(100, { batchSize: 32 })); // 4
 * console.log(batchesPerEpoch(100, { batchSize: 32, dropRemainder: true })); // 3
 * ```
 */
export function batchesPerEpoch(count: number, options: BatchingOptions = {}): number {
  return countBatches(count, resolveOptions('batchesPerEpoch', batchingSpecs, options));
}

function countBatches(
  count: number,
  { batchSize, dropRemainder }: ResolvedOptions<BatchingOptions>,
): number {
  return dropRemainder ? Math.floor(count / batchSize) : Math.ceil(count / batchSize);
}

function iterate<Batch extends TensorContainer>(
  source: BatchSource<Batch>,
  options: ResolvedOptions<BatchesOptions>,
): AsyncIterator<Batch, undefined> {
  const { batchSize, shuffleSeed, epoch, firstBatch, prefetch } = options;
  const order = epochOrder(source.count, shuffleSeed, epoch);
  const end = countBatches(source.count, options);
  const begun: Promise<Batch>[] = [];
  let next = firstBatch;
  const begin = (): Promise<Batch> => {
    const start = next * batchSize;
    next += 1;
    // Inside a promise's executor: an error in making the batch rejects the promise.
    const batch = new Promise<Batch>((resolve) => {
      resolve(source.batch(order.slice(start, start + batchSize), { epoch }));
    });
    // A batch that fails before it is asked for reports the error when it is asked for.
    batch.catch(() => undefined);
    return batch;
  };
  const leave = async (): Promise<void> => {
    next = end;
    for (const batch of await Promise.allSettled(begun.splice(0))) {
      if (batch.status === 'fulfilled') dispose(batch.value);
    }
  };
  return {
    next: async () => {
      const current = begun.shift() ?? (next < end ? begin() : undefined);
      if (current === undefined) return { done: true, value: undefined };
      while (begun.length < prefetch && next < end) begun.push(begin());
      try {
        return { done: false, value: await current };
      } catch (error) {
        // A consumer that gets an error does not call `return`.
        await leave();
        throw error;
      }
    },
    return: async () => {
      await leave();
      return { done: true, value: undefined };
    },
  };
}
