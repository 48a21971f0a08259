import type { NamedTensorMap, Tensor1D, Tensor2D } from '@tensorflow/tfjs-core';
import type { BalancedNetwork, BalancedObjectives, ByModality, PassMode } from './network.ts';

/**
 * One forward pass over a batch. What a method does not ask for is not computed; what it asks for twice is computed once.
 * All tensors are freed at the end of the pass but those that the method returns.
 */
export interface Pass {
  readonly network: BalancedNetwork;
  /** The batch's inputs, by modality. */
  readonly inputs: ByModality;
  /** n integers, −1 where a label is missing, int32. */
  readonly labels: Tensor1D;
  readonly mode: PassMode;
  /** What the method's `tensors` made of its state. */
  readonly tensors: NamedTensorMap;
  /** By modality n numbers: 1 where a sample has it, 0 where `draw` set its features to zero; null where none is masked. */
  readonly masks: ByModality<Tensor1D> | null;
  /** The encoders' features of this batch, zero where `masks` says so. */
  features(): ByModality;
  /** The features as vectors, n × length. */
  vectors(): ByModality<Tensor2D>;
  /** The logits of each objective, n × classes. */
  logits(): Readonly<Record<string, Tensor2D>>;
  /** The network's own objectives: losses, with accuracies beside them. */
  objectives(): BalancedObjectives;
  /** The objectives of other features, such as some that were dropped or cut off from their encoder. */
  objectivesFrom(features: ByModality): BalancedObjectives;
  /**
   * The logits of each objective where the inputs of some modalities are zero. It is a forward pass of its own, and runs as
   * `mode` says: moving statistics follow it too.
   */
  masked(missing: readonly string[]): Readonly<Record<string, Tensor2D>>;
}
