import type { NamedTensorMap } from '@tensorflow/tfjs-core';

/** Samples that are made into batches by their positions; `MemorySource` and `BatchSource` of `@multigrad/datasets` are such. */
export interface Samples<Batch extends NamedTensorMap = NamedTensorMap> {
  /** Number of samples. */
  readonly count: number;
  /**
   * The samples at these positions as new tensors, which belong to the caller.
   *
   * @param indices - integers from 0 to `count - 1`, in any order
   * @param context - `epoch` counts from 0: samples can be augmented anew in each epoch, and in the same way when a run
   * resumes
   */
  batch(indices: Int32Array, context: { readonly epoch: number }): Batch | Promise<Batch>;
}

/** Batches whose size and order the experiment decides itself. */
export interface Batches<Batch extends NamedTensorMap = NamedTensorMap> {
  /** Number of batches in an epoch, an integer >= 1. */
  readonly steps: number;
  /**
   * The batches of an epoch, which belong to the caller: the same ones whenever it is called for the same epoch.
   *
   * @param epoch - from 0
   * @param firstBatch - number of the batch to begin with; 0 if left out
   */
  batches(epoch: number, firstBatch?: number): AsyncIterable<Batch>;
}

/** A data set: samples, of which the program makes batches, or batches. */
export type DataSet<Batch extends NamedTensorMap = NamedTensorMap> =
  Samples<Batch> | Batches<Batch>;

/** The data that an experiment trains on, selects models by, and tests on. */
export interface ExperimentData<Batch extends NamedTensorMap = NamedTensorMap> {
  readonly train: DataSet<Batch>;
  /**
   * What models are selected by; null for none. @defaultValue the last `validation-size` samples of `train`, which are then
   * not trained on
   */
  readonly validation?: DataSet<Batch> | null;
  /** What is never trained on and selects nothing. */
  readonly test: DataSet<Batch>;
  /** Batches that are read ahead, for samples that come from disk. An integer >= 0. @defaultValue 0 */
  readonly prefetch?: number;
}
