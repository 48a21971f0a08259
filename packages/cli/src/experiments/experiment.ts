import type { NamedParts } from '@multigrad/core';
import type { NamedTensorMap, Scalar, Variable } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';

/** An objective's value for one batch, with what is measured beside it. */
export interface MeasuredLoss {
  readonly loss: Scalar;
  /** By name; `accuracy` is what tables show. */
  readonly metrics: Readonly<Record<string, Scalar>>;
}

/** Everything that one run trains and measures. */
export interface Experiment<Batch extends NamedTensorMap = NamedTensorMap> {
  /** One forward pass for one batch: each objective's loss and accuracy; an objective that no sample has a label for is absent. */
  objectives(
    batch: Batch,
    mode: { readonly training: boolean },
  ): Readonly<Partial<Record<string, MeasuredLoss>>>;
  /** What is trained, by names that are the same in every run. */
  readonly variables: ReadonlyMap<string, Variable>;
  /** What forward passes in training change by themselves, such as running means of normalisation layers, by name. */
  readonly statistics: ReadonlyMap<string, Variable>;
  /** The network as a whole and part by part, under the names of the folders that they are exported to. */
  readonly models: Readonly<Record<string, LayersModel>>;
  /** The network's named parts, so that no two of them share a group. */
  readonly parts: NamedParts;
  readonly stepsPerEpoch: number;
  /** The batches of an epoch, counted from 0, from one of them on; whoever draws a batch owns its tensors. */
  train(epoch: number, firstBatch?: number): AsyncIterable<Batch>;
  /** The validation set in batches, always in the same order: what models are selected by; null where there is none. */
  readonly validation: (() => AsyncIterable<Batch>) | null;
  /** The test set in batches, always in the same order. */
  test(): AsyncIterable<Batch>;
  /** Entries of a batch that are modalities: the test set is also measured with each of them set to zero. */
  readonly modalities: readonly string[];
  /** Frees the network. */
  dispose(): void;
}
