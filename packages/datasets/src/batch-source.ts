import type { TensorContainer } from '@tensorflow/tfjs-core';

/** The epoch of a batch: a source can augment samples anew in each epoch, and in the same way when a run resumes. */
export interface BatchContext {
  /** Number of the epoch, from 0. */
  readonly epoch: number;
}

/**
 * A data set whose samples are made into tensors a batch at a time, so that it need not fit into memory as tensors.
 *
 * @example
 * ```ts
 * import { type BatchSource, batches } from '@multigrad/datasets';
 * import '@tensorflow/tfjs-backend-cpu';
 * import * as tf from '@tensorflow/tfjs-core';
 *
 * const squares: BatchSource<{ x: tf.Tensor1D; y: tf.Tensor1D }> = {
 *   count: 5,
 *   batch: (indices) => ({ x: tf.tensor1d(indices, 'float32'), y: tf.tensor1d(indices.map((i) => i * i), 'float32') }),
 * };
 * for await (const batch of batches(squares, { batchSize: 2 })) {
 *   console.log(batch.y.shape[0]); // 2, 2, 1
 *   tf.dispose(batch);
 * }
 * ```
 */
export interface BatchSource<Batch extends TensorContainer> {
  /** Number of samples. */
  readonly count: number;
  /**
   * The samples at these positions (integers from 0 to `count - 1`, in any order) as new tensors, which belong to the
   * caller; at once, or later for samples that are read from disk.
   */
  batch(indices: Int32Array, context: BatchContext): Batch | Promise<Batch>;
}

/** A {@link BatchSource} whose samples are in memory: its batches are made at once. */
export interface MemorySource<Batch extends TensorContainer> extends BatchSource<Batch> {
  batch(indices: Int32Array, context?: BatchContext): Batch;
}
