import { type DatasetLike, resumableBatches } from '@multigrad/core';
import { MultigradError } from '@multigrad/core/strategy';
import { describeValue } from '@multigrad/core/support';
import * as tf from '@tensorflow/tfjs-core';
import type { EpochBatches } from '../batches.ts';

/** Options of {@link datasetBatches}. */
export interface DatasetBatchesOptions<Batch> {
  /**
   * Entries of a batch that are class labels. `tf.data` makes numbers float32; labels are int32, so these are converted, and
   * NaN becomes −1, a missing label.
   *
   * @defaultValue none
   */
  readonly labels?: readonly (keyof Batch & string)[];
}

/**
 * The batches of `tf.data` datasets by epoch, in the form in which trainers and experiments take them.
 *
 * Pass a function of the epoch that builds the dataset, with a seed of the epoch where it shuffles: then a run that was
 * interrupted goes on with the batches that are left. A dataset that shuffles without a seed, or one object for all epochs
 * whose shuffling goes on from epoch to epoch, gives a resumed run another order. Batches before the first that is asked for
 * are read and freed.
 *
 * @param dataset - of batches (`.batch(32)`), each a record of tensors
 * @throws MultigradError, while reading: `invalid-data` for an element that is no record of tensors, for labels that are no
 * whole numbers, and for an epoch that ends before its first batch
 *
 * @example
 * ```ts
 * import { datasetBatches } from '@multigrad/datasets';
 * import '@tensorflow/tfjs-backend-cpu';
 * import * as tf from '@tensorflow/tfjs-core';
 * import * as data from '@tensorflow/tfjs-data';
 *
 * const samples = Array.from({ length: 10 }, (_, i) => ({ x: [i, i * i], label: i % 2 }));
 * const batches = datasetBatches<{ x: tf.Tensor2D; label: tf.Tensor1D }>(
 *   (epoch) => data.array(samples).shuffle(10, `seed ${epoch}`).batch(4),
 *   { labels: ['label'] },
 * );
 * for await (const batch of batches(0)) {
 *   console.log(batch.x.shape, batch.label.dtype); // [ 4, 2 ] int32, [ 4, 2 ] int32, [ 2, 2 ] int32
 *   tf.dispose(batch);
 * }
 * ```
 */
export function datasetBatches<Batch extends tf.NamedTensorMap>(
  dataset: DatasetLike<unknown> | ((epoch: number) => DatasetLike<unknown>),
  { labels = [] }: DatasetBatchesOptions<Batch> = {},
): EpochBatches<Batch> {
  return resumableBatches(async function* (epoch, firstBatch) {
    const iterator = await (typeof dataset === 'function' ? dataset(epoch) : dataset).iterator();
    let number = 0;
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) {
      if (number >= firstBatch) yield await checked<Batch>(next.value, labels);
      else tf.dispose(next.value as tf.TensorContainer);
      number += 1;
    }
    if (number >= firstBatch) return;
    throw new MultigradError(
      'invalid-data',
      `Training should go on after ${firstBatch} batches of epoch ${epoch}. Found ${number}: these are other data.`,
    );
  });
}

/** The batch with its labels as integers. */
async function checked<Batch extends tf.NamedTensorMap>(
  element: unknown,
  labels: readonly string[],
): Promise<Batch> {
  const made: tf.Tensor[] = [];
  try {
    const isTensor = element instanceof tf.Tensor;
    const entries = isTensor ? [] : Object.entries(element ?? {});
    const wrong = entries.find(([, value]) => !(value instanceof tf.Tensor) || value.rank === 0);
    if (entries.length === 0 || wrong !== undefined) {
      throw new MultigradError(
        'invalid-data',
        'A dataset should give batches: records of tensors with the samples along their first axis, as `.batch(32)` makes them. Found ' +
          (wrong === undefined
            ? `${describeValue(element)}.`
            : `${wrong[1] instanceof tf.Tensor ? 'a scalar' : describeValue(wrong[1])} under \`${wrong[0]}\`.`),
      );
    }
    const batch = new Map(entries as [string, tf.Tensor][]);
    for (const name of labels) {
      const given = batch.get(name);
      if (given === undefined) {
        throw new MultigradError(
          'invalid-data',
          `Option \`labels\` of \`datasetBatches\` should name entries of a batch (${[...batch.keys()].join(', ')}). Found \`${name}\`.`,
        );
      }
      const converted = await integers(name, given);
      made.push(converted);
      given.dispose();
      batch.set(name, converted);
    }
    return Object.fromEntries(batch) as Batch;
  } catch (error) {
    tf.dispose([element as tf.TensorContainer, ...made]);
    throw error;
  }
}

async function integers(name: string, given: tf.Tensor): Promise<tf.Tensor> {
  const values = await given.data();
  const labels = Int32Array.from(values, (value: number) => {
    if (Number.isNaN(value)) return -1;
    if (Number.isInteger(value)) return value;
    throw new MultigradError(
      'invalid-data',
      `Labels of \`${name}\` should be whole numbers, or NaN where one is missing. Found ${value}.`,
    );
  });
  return tf.tensor(labels, given.shape, 'int32');
}
