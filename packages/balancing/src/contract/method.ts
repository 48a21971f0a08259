import type { Logs } from '@multigrad/core';
import type { Json } from '@multigrad/core/strategy';
import type { NamedTensorMap, Tensor, Variable } from '@tensorflow/tfjs-core';
import type { Draw, LabelledBatch, TrainingData } from './data.ts';
import type { BalancedNetwork, BalancedObjectives, Signals } from './network.ts';
import type { Pass } from './pass.ts';

/** What a balancing method needs beside the forward pass. All of it is off by default. */
export interface BalancingNeeds {
  /** The training data outside of steps: batches, or samples that it knows by their positions. */
  readonly data?: 'batches' | 'samples';
  /** The mean losses over validation data at the ends of epochs, or the validation data themselves. */
  readonly validation?: true | 'batches';
  /** The squared norms of the integrated gradients of each part, or of `gradientLists`, before the update. */
  readonly gradientNorms?: true;
  /** The weights that the network had before training. */
  readonly initialWeights?: true;
  /** Its `objectives` also run in evaluation: it changes what the network predicts. */
  readonly evaluation?: true;
}

/** The network of a run, in plain numbers. */
export interface NetworkDescription {
  readonly modalities: readonly string[];
  /** The joint objective first, then the modalities. */
  readonly objectives: readonly string[];
  readonly classes: number;
}

/** The moment before the first step of an epoch. */
export interface EpochStart {
  /** Number of the epoch, from 0. */
  readonly epoch: number;
  readonly network: BalancedNetwork;
  /** Present where the method needs `data`. */
  readonly data?: TrainingData;
  /** By name, present where the method needs `initialWeights`; they stay the driver's. */
  readonly initialWeights?: ReadonlyMap<string, Tensor>;
}

/** The moment after an epoch. */
export interface EpochEnd extends EpochStart {
  /** All that the trainer measured, as callbacks get it. */
  readonly logs: Logs;
  /** Mean losses of the epoch's steps, by objective. */
  readonly trainingLosses: Readonly<Record<string, number>>;
  /** Present where the method needs `validation`. */
  readonly validationLosses?: Readonly<Record<string, number>>;
  /** By objective `loss` and `accuracy`; present where the method needs `validation`. */
  readonly validationMetrics?: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** The validation data, present where the method needs `validation: 'batches'`. */
  readonly validation?: AsyncIterable<LabelledBatch>;
}

/** What a step has measured before its update, as numbers. */
export interface BalancingStep {
  /** Number of the step, from 0. */
  readonly step: number;
  readonly losses: Readonly<Record<string, number>>;
  /** The signals of this step's `objectives`: means over its batches. */
  readonly signals: Readonly<Record<string, number>>;
  /** The readings of this step's `objectives`: means over its batches. */
  readonly readings: Readonly<Record<string, Float64Array>>;
  /** By part, or by the names of `gradientLists`; present where the method needs `gradientNorms`. */
  readonly squaredNorms?: Readonly<Record<string, number>>;
  /** What the method's `tensors` made of its state. */
  readonly tensors: NamedTensorMap;
}

/** What is done to a part of the network at a step. */
export interface PartModulation {
  /** Factor on its gradient, finite, >= 0. @defaultValue 1 */
  readonly gradient?: number;
  /** Factor on its learning rate, finite, >= 0: on the change that the optimizer makes. @defaultValue 1 */
  readonly rate?: number;
  /**
   * Changes the gradient after the factor; returns a new tensor of the same shape.
   *
   * @param variable - the variable's name in `namedVariables`
   * @param value - what the variable holds
   */
  readonly change?: (gradient: Tensor, variable: string, value: Tensor) => Tensor;
}

/**
 * By part what is done to it at a step; null where it gets no update: no momentum, no decay. Parts are the modalities for the
 * encoders, `head/<objective>` for the heads, and `fusion` for all other variables. What is left out gets its plain update.
 */
export type PartModulations = Readonly<Record<string, PartModulation | null>>;

/** What a method decides in a step, and the state it goes on with. */
export interface Modulated<State> {
  readonly parts: PartModulations;
  readonly state: State;
}

/** What a method returns for a forward pass. */
export interface BalancedPass {
  /** The objectives that train; the strategy sees their gradients. */
  readonly objectives: BalancedObjectives;
  /**
   * Scalars that are read back with the losses, in the same transfer; they have no gradient. `modulate` gets them as numbers,
   * and logs have them as `<joint>_<method>/<signal>`. They should be means over the labelled samples.
   */
  readonly signals?: Signals;
  /**
   * Small tensors that are read back for `modulate`, such as a mean feature vector; they have no gradient, and logs do not have
   * them. Among ranks each one reads its own.
   */
  readonly readings?: Readonly<Record<string, Tensor>>;
}

/**
 * A way to balance the modalities of a network while it trains: it says what it needs to see, and what it changes.
 *
 * All functions are pure: what a method remembers is in its state, plain JSON that checkpoints hold. Randomness is a function
 * of a seed and of the step's or the epoch's number (`randomState` of `@multigrad/core/strategy`), or a `RandomState` in the state.
 * A state is replaced, never changed in place.
 */
export interface BalancingMethod<State extends Json = Json> {
  /** Version of this interface. */
  readonly specification: 1;
  /** Its name, in kebab case. */
  readonly name: string;
  readonly needs: BalancingNeeds;
  /**
   * Number of the first epoch, from 0, whose steps it changes or whose last weights it sets: up to there a training is the same
   * as without it. `multigrad train` and `compare` say so where a training ends before.
   * @defaultValue 0
   */
  readonly firstEpoch?: number;
  /** The reason why it cannot serve a network, as the end of a sentence; null where it can. */
  unsupported?(network: BalancedNetwork): string | null;
  /** Lists of trainable variables whose gradients' squared norms it needs, by names of its own. Left out, they are the parts. */
  gradientLists?(network: BalancedNetwork): Readonly<Record<string, readonly Variable[]>>;
  /** The state before training. */
  init(network: NetworkDescription): State;
  /** Tensors that forward passes use, made of the state before training and at the beginnings and ends of epochs; the driver frees them. */
  tensors?(state: State): NamedTensorMap;
  /** Factors on the objectives' gradients, by objective, before the strategy sees them; 1 where left out. They follow the state. */
  lossWeights?(state: State): Readonly<Record<string, number>>;
  /** Before the first step of an epoch. It may set the weights of the network. */
  beforeEpoch?(start: EpochStart, state: State): State | Promise<State>;
  /**
   * The samples of an epoch, after `beforeEpoch`; null for each once. A run that resumes within an epoch asks again.
   *
   * @param count - number of samples in the training set
   */
  draw?(epoch: number, count: number, state: State): Draw | null;
  /** The objectives of a forward pass. Left out, they are the network's own. */
  objectives?(pass: Pass, state: State): BalancedPass;
  /** What is done to the parts of the network at a step, after the strategy and before the optimizer. */
  modulate?(step: BalancingStep, state: State): Modulated<State>;
  /** After an epoch, its validation included. It may set the weights of the network. */
  afterEpoch?(end: EpochEnd, state: State): State | Promise<State>;
}
