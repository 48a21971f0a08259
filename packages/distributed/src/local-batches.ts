import { markEmptyPart, resumableBatches, startsAtBatch } from '@multigrad/core';
import { MultigradError } from '@multigrad/core/strategy';
import { dispose, slice, type TensorContainer } from '@tensorflow/tfjs-core';
import type { Communicator } from './communicator.ts';
import { gatherJson } from './json.ts';
import { mapTensors } from './map-tensors.ts';
import type { Batches } from './shard-batches.ts';

/**
 * The batches that this rank reads by itself, such as those of its own files: no rank reads another's samples. A step is that
 * of all ranks' samples together. Ranks may have batches of other sizes, and more or fewer of them: a rank that has no more
 * takes part in the steps of the others with a sample that counts for nothing, until all have come to the end of the epoch.
 *
 * @param batches - this rank's, as a function of the epoch; records and arrays of tensors, samples along their first axis.
 *   At least one batch an epoch. Batches of an array stay the caller's
 * @returns what `fit` takes as its data; resumable where `batches` is
 * @throws MultigradError `invalid-data`, on every rank, where a rank has no batch at all in an epoch
 *
 * @example
 * ```ts
 * import { localBatches, runRanks } from '@multigrad/distributed';
 * import * as tf from '@tensorflow/tfjs-core';
 * import '@tensorflow/tfjs-backend-cpu';
 *
 * const steps = await runRanks(2, async (communicator) => {
 *   const own = communicator.rank === 0 ? [[1, 2], [3]] : [[4, 5, 6]];
 *   const batches = () => own.map((values) => ({ x: tf.tensor1d(values) }));
 *   let count = 0;
 *   for await (const _ of localBatches(batches, communicator)(0)) count += 1;
 *   return count;
 * });
 * console.log(steps); // [ 2, 2 ]
 * ```
 */
export function localBatches<Batch>(
  batches: Batches<Batch>,
  communicator: Communicator,
): (epoch: number, firstBatch?: number) => AsyncGenerator<Batch, void> {
  async function* own(epoch: number, firstBatch = 0): AsyncGenerator<Batch, void> {
    const source = batches(epoch, firstBatch);
    const owned = !Array.isArray(source);
    const iterator: Iterator<Batch> | AsyncIterator<Batch> =
      Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
    let spare: Batch | null = null;
    let over = false;
    try {
      for (;;) {
        const next: IteratorResult<Batch, unknown> | null = over ? null : await iterator.next();
        over = next === null || next.done === true;
        if (over && spare === null && firstBatch > 0) spare = await firstOf(batches(epoch, 0));
        communicator.nextCall(`end of epoch ${epoch}`);
        const ends = await gatherJson(communicator, { over, none: over && spare === null });
        if (ends.every((one) => one.over)) return;
        const without = ends.findIndex(({ none }) => none);
        if (without >= 0) {
          if (!over && owned) dispose(next!.value as TensorContainer);
          throw new MultigradError(
            'invalid-data',
            `Each rank should read at least one batch an epoch. Found none on rank ${without} in epoch ${epoch}.`,
          );
        }
        if (over) {
          // The trainer may free what it is given: it gets a copy.
          const borrowed = firstSample(spare!);
          markEmptyPart(borrowed);
          yield borrowed;
          continue;
        }
        const batch = next!.value as Batch;
        dispose(spare as TensorContainer);
        spare = firstSample(batch);
        yield owned ? batch : (mapTensors(batch, (tensor) => tensor.clone()) as Batch);
      }
    } finally {
      dispose(spare as TensorContainer);
      if (!over) await iterator.return?.();
    }
  }
  return startsAtBatch in batches ? resumableBatches(own) : (epoch) => own(epoch);
}

/** The same container with the first sample of each tensor. */
function firstSample<Batch>(batch: Batch): Batch {
  return mapTensors(batch, (whole) =>
    whole.rank === 0 ? whole.clone() : slice(whole, 0, 1),
  ) as Batch;
}

/** The first sample of an epoch, for a rank that goes on behind its last batch. */
async function firstOf<Batch>(
  source: Iterable<Batch> | AsyncIterable<Batch>,
): Promise<Batch | null> {
  for await (const batch of source) {
    const first = firstSample(batch);
    if (!Array.isArray(source)) dispose(batch as TensorContainer);
    return first;
  }
  return null;
}
