import type { BatchShare } from '@multigrad/core';
import type { Scalar, Tensor, Tensor1D, Tensor2D, Variable } from '@tensorflow/tfjs-core';

/** How a forward pass runs: as the trainer tells its objectives function. */
export interface PassMode {
  readonly training: boolean;
  /** Number of the training step, from 0. */
  readonly step?: number;
  readonly share?: BatchShare;
}

/** An objective's loss, and what is measured beside it, as scalars. */
export interface MeasuredObjective {
  readonly loss: Tensor;
  readonly metrics?: Readonly<Record<string, Tensor>>;
  /** Number of labels over which they are means. */
  readonly samples?: Tensor | number;
}

/** Tensors by modality. */
export type ByModality<T = Tensor> = Readonly<Record<string, T>>;

/** A linear classifier of a network: its kernel, features × classes, then its bias. */
export interface NetworkHead {
  readonly weights: readonly HeadWeight[];
}

/** A weight of a head. `LayerVariable` of `@tensorflow/tfjs-layers` is one. */
export interface HeadWeight {
  /** Its value, which stays the network's. */
  read(): Tensor;
}

/** A gate between encoders, which scales the channels of one modality by what all of them say. */
export interface NetworkGate {
  readonly name: string;
  /** The modality whose channels it scales. */
  readonly modality: string;
  /** The trainable variables that serve this gate alone. */
  readonly own: readonly Variable[];
  /** The trainable variables that several gates share. */
  readonly shared: readonly Variable[];
}

/**
 * Says how far a gate is open, in place of what it found itself; n × channels, as what it found.
 *
 * It runs once for each gate in a forward pass, within a `tf.tidy`.
 */
export type GateChange = (gate: string, values: Tensor2D) => Tensor2D;

/**
 * A classifier of several modalities, as balancing methods see it: an encoder for each modality, a fusion with a joint head,
 * and a head on each encoder alone. `MultimodalNetwork` of `@multigrad/models` is one.
 */
export interface BalancedNetwork {
  readonly modalities: readonly string[];
  /** The joint objective first, then the modalities. */
  readonly objectiveNames: readonly string[];
  readonly classes: number;
  /** The trainable variables of the encoders, by modality. */
  readonly parts: Readonly<Record<string, readonly Variable[]>>;
  readonly trainableVariables: readonly Variable[];
  /** All variables by names that are the same in every run. */
  readonly namedVariables: ReadonlyMap<string, Variable>;
  readonly fusion: {
    readonly name: string;
    readonly weights: readonly unknown[];
    readonly outputs: readonly { readonly shape: readonly (number | null)[] }[];
  };
  /** One classifier for each objective. */
  readonly heads: Readonly<Record<string, NetworkHead>>;
  /** What stands in the place of dropped modalities; left out or empty where none are dropped. */
  readonly tokens?: readonly Variable[];
  /** Each encoder's features; new tensors that belong to the caller. */
  features(inputs: ByModality, mode: PassMode): ByModality;
  /** The gates between the encoders; left out or empty where there are none. */
  readonly gates?: readonly NetworkGate[];
  /** Like `features`, with gates as `change` opens them, and by gate what it found itself. Networks with gates have it. */
  gatedFeatures?(
    inputs: ByModality,
    mode: PassMode,
    change: GateChange,
  ): { readonly features: ByModality; readonly gates: Readonly<Record<string, Tensor2D>> };
  /** The features as vectors, n × length. */
  vectors(features: ByModality): ByModality<Tensor2D>;
  /** Logits of each objective, n × classes. */
  logits(features: ByModality, mode: PassMode): Readonly<Record<string, Tensor2D>>;
  /**
   * Each objective's loss and metrics from its logits.
   *
   * @param labels - n integers, −1 where one is missing, int32
   */
  objectivesFromLogits(
    logits: Readonly<Record<string, Tensor2D>>,
    labels: Tensor1D,
  ): Readonly<Record<string, MeasuredObjective>>;
}

/** A loss for every objective, as a method returns them. */
export type BalancedObjectives = Readonly<Record<string, MeasuredObjective>>;

/** Scalars by name. */
export type Signals = Readonly<Record<string, Scalar | Tensor>>;
