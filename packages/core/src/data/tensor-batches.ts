import { gather, type NamedTensorMap, Tensor, tensor1d, tidy } from '@tensorflow/tfjs-core';
import { MultigradError } from '../base/errors.ts';
import { randomState, resumeRandom } from '../algebra/random.ts';
import { batchSize as sampleCount } from './batch-size.ts';
import { resumableBatches, type startsAtBatch } from './resumable-batches.ts';

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
 * @throws MultigradError `invalid-option` for a batch size that is no positive integer, `invalid-data` for tensors of
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
  options: { readonly batchSize: number; readonly shuffle?: number | false },
): ((epoch: number, firstBatch?: number) => Generator<Batch, void>) & {
  readonly [startsAtBatch]: true;
} {
  const { batchSize, shuffle = false } = options;
  if (!Number.isInteger(batchSize) || batchSize < 1) {
    throw new MultigradError(
      'invalid-option',
      `Option \`batchSize\` should be an integer >= 1. Found ${batchSize}.`,
    );
  }
  const count = sampleCount(tensors);
  return resumableBatches(function* (epoch, firstBatch) {
    const order =
      shuffle === false
        ? Int32Array.from({ length: count }, (_, index) => index)
        : resumeRandom(randomState(shuffle, 'epoch', epoch)).permutation(count);
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
