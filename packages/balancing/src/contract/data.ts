import type { Tensor1D, TensorContainer } from '@tensorflow/tfjs-core';
import type { ByModality } from './network.ts';

/** Samples that are made into batches by their positions, as `Samples` of `@multigrad/experiment`. */
export interface SampleSource<Batch = TensorContainer> {
  /** Number of samples. */
  readonly count: number;
  /** The samples at these positions as new tensors, which belong to the caller. */
  batch(indices: Int32Array, context: { readonly epoch: number }): Batch | Promise<Batch>;
}

/** A labelled batch; it is freed once the next one is asked for. */
export interface LabelledBatch {
  readonly inputs: ByModality;
  /** n integers, −1 where one is missing, int32. */
  readonly labels: Tensor1D;
  /** Positions of the samples in the training set; null where the data are batches. */
  readonly positions: Int32Array | null;
}

/** The training data, read outside of steps. */
export interface TrainingData {
  /** Number of samples; null where the data are batches. */
  readonly count: number | null;
  /**
   * A part of the training data.
   *
   * @param share - share of the samples or batches, above 0; 1 gives all, in their order, less gives some that the epoch draws
   */
  batches(share?: number): AsyncIterable<LabelledBatch>;
}

/** The samples of an epoch. */
export interface Draw {
  /** Positions in the training set, in any order, any number of times each. */
  readonly positions: Int32Array;
  /**
   * By modality, for each drawn sample 0 where it is set to zero, 1 where it stays. Modalities left out stay.
   * @defaultValue all stay
   */
  readonly masks?: Readonly<Record<string, Uint8Array>>;
  /** What masks set to zero: inputs, or the features that encoders make of them. @defaultValue 'inputs' */
  readonly masked?: 'inputs' | 'features';
}
