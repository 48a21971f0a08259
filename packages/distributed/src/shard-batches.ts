import {
  batchDigest,
  markBatchPart,
  resumableBatches,
  sliceOf,
  startsAtBatch,
} from '@multigrad/core';
import { MultigradError } from '@multigrad/core/strategy';
import { dispose, slice, Tensor, type TensorContainer } from '@tensorflow/tfjs-core';
import type { Communicator } from './communicator.ts';

/** The batches of one epoch, from a given one on. */
export type Batches<Batch> = (
  epoch: number,
  firstBatch?: number,
) => Iterable<Batch> | AsyncIterable<Batch>;

/**
 * This rank's samples of every batch: consecutive ones, as many as the other ranks have or one more or less. All ranks read
 * the same batches, so a batch that is seeded is the same batch, and every sample of it is one rank's.
 *
 * @param batches - those of all ranks, as a function of the epoch; records and arrays of tensors, samples along their first
 * axis. Batches of an array stay the caller's
 * @returns what `fit` takes as its data; resumable where `batches` is
 * @throws MultigradError `invalid-data`, when it comes, for a batch of fewer samples than ranks
 *
 * @example
 * ```ts
 * import { runRanks, shardBatches } from '@multigrad/distributed';
 * import * as tf from '@tensorflow/tfjs-core';
 * import '@tensorflow/tfjs-backend-cpu';
 *
 * const batches = () => [{ x: tf.tensor1d([1, 2, 3, 4, 5]) }];
 * const seen = await runRanks(2, async (communicator) => {
 *   const own: number[] = [];
 *   for await (const { x } of shardBatches(batches, communicator)(0)) own.push(...x.dataSync());
 *   return own;
 * });
 * console.log(seen); // [ [ 1, 2, 3 ], [ 4, 5 ] ]
 * ```
 */
export function shardBatches<Batch>(
  batches: Batches<Batch>,
  { rank, size: ranks }: Pick<Communicator, 'rank' | 'size'>,
): (epoch: number, firstBatch?: number) => AsyncGenerator<Batch, void> {
  async function* shards(epoch: number, firstBatch = 0): AsyncGenerator<Batch, void> {
    const source = batches(epoch, firstBatch);
    const owned = !Array.isArray(source);
    let index = firstBatch;
    for await (const batch of source) {
      try {
        const shard = shardOf(batch, rank, ranks) as Batch;
        // The first batch tells whether ranks read the same data in the same order; reading every batch would cost too much.
        const digest = index === firstBatch ? `, digest ${await batchDigest(batch)}` : '';
        markBatchPart(shard, `batch ${index} of epoch ${epoch}${digest}`);
        index += 1;
        yield shard;
      } finally {
        if (owned) dispose(batch as TensorContainer);
      }
    }
  }
  return startsAtBatch in batches ? resumableBatches(shards) : (epoch) => shards(epoch);
}

/** The same container with new tensors of some samples of each tensor; numbers and the like as they are. */
function shardOf(value: unknown, rank: number, ranks: number): unknown {
  if (value instanceof Tensor) return tensorShard(value as Tensor, rank, ranks);
  if (Array.isArray(value)) return value.map((child) => shardOf(child, rank, ranks));
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, child]) => [key, shardOf(child, rank, ranks)]),
  );
}

/** @throws MultigradError `invalid-data` */
function tensorShard(whole: Tensor, rank: number, ranks: number): Tensor {
  if (whole.rank === 0) return whole.clone();
  const size = whole.shape[0];
  if (size < ranks) {
    throw new MultigradError(
      'invalid-data',
      `A batch should have a sample for each of the ${ranks} ranks. Found ${size}: leave the rest of an epoch out, or take fewer ranks.`,
    );
  }
  const { begin, end } = sliceOf(size, rank, ranks);
  return slice(whole, begin, end - begin);
}
