import { MultigradError } from '@multigrad/core/strategy';
import * as tf from '@tensorflow/tfjs-core';

/**
 * Checks class labels: integers from 0 to `classes − 1`.
 *
 * @param where - what the labels are called in the message
 * @throws MultigradError `invalid-data` naming the first wrong value, its position and the number of classes
 *
 * @example
 * ```ts
 * import { assertLabels } from '@multigrad/models';
 *
 * assertLabels(Uint8Array.of(0, 9), 10);
 * try {
 *   assertLabels([0, 10], 10, 'labels of the first batch');
 * } catch (error) {
 *   console.log(String(error)); // … labels of the first batch: expected integers from 0 to 9 for 10 classes. Found 10 at position 1.
 * }
 * ```
 */
export function assertLabels(labels: ArrayLike<number>, classes: number, where = 'labels'): void {
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i]!;
    if (Number.isInteger(label) && label >= 0 && label < classes) continue;
    throw new MultigradError(
      'invalid-data',
      `${where}: expected integers from 0 to ${classes - 1} for ${classes} classes. Found ${label} at position ${i}.`,
    );
  }
}

/** Backends whose tensors lie in ordinary memory: reading them costs a copy and waits for nothing. */
const hostBackends: ReadonlySet<string> = new Set(['cpu', 'wasm']);

/** {@link assertLabels} where the labels can be read without waiting for a device; elsewhere the loss will be NaN. */
export function assertLabelsIfAtHand(labels: tf.Tensor1D, classes: number): void {
  if (hostBackends.has(tf.getBackend())) assertLabels(labels.dataSync(), classes);
}
