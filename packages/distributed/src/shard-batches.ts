import {
  batchDigest,
  batchSize,
  markBatchPart,
  markEmptyPart,
  resumableBatches,
  sliceOf,
  startsAtBatch,
} from '@multigrad/core';
import { MultigradError } from '@multigrad/core/strategy';
import { dispose, slice, type Tensor, type TensorContainer } from '@tensorflow/tfjs-core';
import type { Communicator } from './communicator.ts';
import { mapTensors } from './map-tensors.ts';

/** The batches of one epoch, from a given one on. */
export type Batches<Batch> = (
  epoch: number,
  firstBatch?: number,
) => Iterable<Batch> | AsyncIterable<Batch>;

/**
 * This rank's samples of every batch: consecutive ones, as many as the other ranks have or one more or less. All ranks read
 * the same batches, so a batch that is seeded is the same batch, and every sample of it is one rank's. Where a batch has fewer
 * samples than there are ranks, some ranks have none: they take part with one that counts for nothing.
 *
 * @param batches - those of all ranks, as a function of the epoch; records and arrays of tensors, samples along their first
 * axis. Batches of an array stay the caller's
 * @returns what `fit` takes as its data; resumable where `batches` is
 * @throws MultigradError `invalid-data`, when it comes, for a batch without samples
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
        const shard = mapTensors(batch, (whole) => tensorShard(whole, rank, ranks)) as Batch;
        const samples = batchSize(batch);
        const { begin, end } = sliceOf(samples, rank, ranks);
        if (begin === end) markEmptyPart(shard);
        // The first batch tells whether ranks read the same data in the same order; reading every batch would cost too much.
        const digest = index === firstBatch ? `, digest ${await batchDigest(batch)}` : '';
        markBatchPart(shard, `batch ${index} of epoch ${epoch}, ${samples} samples${digest}`);
        index += 1;
        yield shard;
      } finally {
        if (owned) dispose(batch as TensorContainer);
      }
    }
  }
  return startsAtBatch in batches ? resumableBatches(shards) : (epoch) => shards(epoch);
}

/** @throws MultigradError `invalid-data` */
function tensorShard(whole: Tensor, rank: number, ranks: number): Tensor {
  if (whole.rank === 0) return whole.clone();
  const size = whole.shape[0];
  if (size === 0) {
    throw new MultigradError(
      'invalid-data',
      'A batch should have at least one sample. Found none.',
    );
  }
  const { begin, end } = sliceOf(size, rank, ranks);
  // A rank without samples borrows the first one.
  return begin === end ? slice(whole, 0, 1) : slice(whole, begin, end - begin);
}
