import { gather, type NamedTensorMap, Tensor, tensor1d, tidy } from '@tensorflow/tfjs-core';
import { describeValue } from '../base/describe-value.ts';
import { MultigradError } from '../base/errors.ts';
import { checkKnownOptions, type OptionNames } from '../base/known-options.ts';
import { randomState, resumeRandom } from '../algebra/random.ts';
import { batchSize as sampleCount } from './batch-size.ts';
import { resumableBatches, type startsAtBatch } from './resumable-batches.ts';

/** How tensors are cut into batches. */
export interface TensorBatchesOptions {
  /** Samples per batch, an integer >= 1; the last batch of an epoch may have fewer. */
  readonly batchSize: number;
  /**
   * Whether the samples come in a new order at each epoch: `true` has the seed 0, an integer is another seed, `false` keeps
   * the given order. @defaultValue false
   */
  readonly shuffle?: number | boolean;
}

const optionNames: OptionNames<TensorBatchesOptions> = { batchSize: true, shuffle: true };

/** The seed of an order; null for the given order. @throws MultigradError `invalid-option` */
function seedOf(shuffle: unknown): number | null {
  if (shuffle === false) return null;
  if (shuffle === true) return 0;
  if (Number.isSafeInteger(shuffle)) return shuffle as number;
  throw new MultigradError(
    'invalid-option',
    `Option \`shuffle\` should be true, false or an integer, the seed of the order. Found ${describeValue(shuffle)}.`,
  );
}

/** Whether a value is a record of tensors by name. */
export function isTensorRecord(value: object): value is NamedTensorMap {
  const children = Object.values(value);
  return children.length > 0 && children.every((child) => child instanceof Tensor);
}

/**
 * Cuts tensors that hold samples along their first axis into batches.
 *
 * The order depends on the seed and the epoch alone, so a run that resumes sees the same batches.
 * The last batch is smaller where the number of samples is no multiple of the batch size.
 *
 * @param tensors - by name, all with the same first dimension; they stay the caller's
 * @returns a function of the epoch and the first batch; the reader of a batch frees it
 * @throws MultigradError `invalid-option` for a batch size that is no positive integer or an unknown option, `invalid-data` for tensors of
 *   different numbers of samples
 *
 * @example
 * ```ts
 * import { tensorBatches } from '@multigrad/core';
 * import * as tf from '@tensorflow/tfjs-core';
 * import '@tensorflow/tfjs-backend-cpu';
 *
 * const data = { image: tf.zeros([5, 4]), label: tf.tensor1d([0, 1, 2, 3, 4]) };
 * for (const batch of tensorBatches(data, { batchSize: 2, shuffle: 7 })(0)) {
 *   console.log(batch.image.shape[0]); // 2, 2, 1
 *   tf.dispose(batch);
 * }
 * ```
 */
export function tensorBatches<Batch extends NamedTensorMap>(
  tensors: Batch,
  options: TensorBatchesOptions,
): ((epoch: number, firstBatch?: number) => Generator<Batch, void>) & {
  readonly [startsAtBatch]: true;
} {
  checkKnownOptions('tensorBatches', options, optionNames);
  const { batchSize, shuffle = false } = options;
  const seed = seedOf(shuffle);
  if (!Number.isInteger(batchSize) || batchSize < 1) {
    throw new MultigradError(
      'invalid-option',
      `Option \`batchSize\` should be an integer >= 1. Found ${batchSize}.`,
    );
  }
  const count = sampleCount(tensors);
  return resumableBatches(function* (epoch, firstBatch) {
    const order =
      seed === null
        ? Int32Array.from({ length: count }, (_, index) => index)
        : resumeRandom(randomState(seed, 'epoch', epoch)).permutation(count);
    for (let start = firstBatch * batchSize; start < count; start += batchSize) {
      const indices = Int32Array.from(order.slice(start, start + batchSize));
      yield tidy(() => {
        const picked = tensor1d(indices, 'int32');
        return Object.fromEntries(
          Object.entries(tensors).map(([name, tensor]) => [name, gather(tensor, picked)]),
        ) as Batch;
      });
    }
  });
}
