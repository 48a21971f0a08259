import { MultigradError } from '@multigrad/core/strategy';
import * as tf from '@tensorflow/tfjs-core';

/**
 * Checks class labels, none of them missing: integers from 0 to `classes − 1`.
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

/** The label of a sample whose class is not known. */
export const missingLabel = -1;

/**
 * Rows with a 1 at the label, float32; all zero where the label is missing or out of range. Cast from integers, because
 * TensorFlow.js's wasm backend writes the bits of integers where `tf.oneHot` is asked for float32.
 */
export function oneHotOf(labels: tf.Tensor1D, classes: number): tf.Tensor2D {
  return tf.cast(tf.oneHot(labels, classes), 'float32') as tf.Tensor2D;
}

/** Backends whose tensors lie in ordinary memory: reading them costs a copy and waits for nothing. */
const hostBackends: ReadonlySet<string> = new Set(['cpu', 'wasm', 'tensorflow']);

/** Whether tensors can be read without waiting for a device. */
export function isAtHand(): boolean {
  return hostBackends.has(tf.getBackend());
}

/**
 * Whether a batch has a label, where that can be told without waiting for a device; elsewhere it is taken to have one.
 *
 * @throws MultigradError `invalid-data` for a label out of range, where labels can be read
 */
export function hasLabels(labels: tf.Tensor1D, classes: number, where = 'labels'): boolean {
  if (!isAtHand()) return true;
  let present = false;
  labels.dataSync().forEach((label, i) => {
    if (label === missingLabel) return;
    present = true;
    if (Number.isInteger(label) && label >= 0 && label < classes) return;
    throw new MultigradError(
      'invalid-data',
      `${where}: expected integers from 0 to ${classes - 1} for ${classes} classes, or -1 for a missing label. ` +
        `Found ${label} at position ${i}.`,
    );
  });
  return present;
}
