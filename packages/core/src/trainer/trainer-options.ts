import type { GroupingOptions } from '../engine/integrate-gradients.ts';
import type { FeatureObjectives, Objectives } from '../engine/objectives.ts';
import type { GradientStrategy } from '../strategy/strategy.ts';
import type { TrainerCallback } from './callbacks.ts';
import type { DataSource, ReadOptions } from './data-source.ts';
import type { NamedVariables } from './named-variables.ts';
import type { AnyOptimizer } from './optimizer.ts';
import type { FitState } from './snapshot.ts';

/** What an objectives function is told beside the batch. */
export interface ObjectiveContext {
  /** True in a training step, false in `evaluate`: dropout and batch norm go by it. */
  readonly training: boolean;
  /** Number of the training step, from 0; the number of steps made so far in `evaluate`. */
  readonly step: number;
}

/** What a multi-objective trainer is made of. */
export interface TrainerOptions<Batch, Name extends string> extends GroupingOptions {
  /** One synchronous forward pass: from a batch to the objectives' losses, by name. */
  readonly objectives: (
    batch: Batch,
    context: ObjectiveContext,
  ) => Objectives<Name> | FeatureObjectives<Name>;
  /** What to train; under the names of a map, if it is one, in checkpoints. */
  readonly variables: NamedVariables;
  /**
   * What the forward pass changes by itself, such as the moving statistics of batch norm: part of every snapshot.
   * @defaultValue none
   */
  readonly statistics?: NamedVariables;
  /** How gradients are integrated; the line to change from one paper to the next. */
  readonly strategy: GradientStrategy;
  /**
   * Takes the integrated gradients: a TensorFlow.js optimizer, an object with `applyGradients`, `snapshot` and
   * `restore`, or a function without memory of the gradients by variable name (null for variables that no objective of
   * this step reached; the trainer frees the tensors).
   */
  readonly optimizer: AnyOptimizer;
  /**
   * Coupled weight decay: adds `weightDecay · variable` to each integrated gradient, as PyTorch's SGD does; a variable
   * without a gradient at a step does not decay. Finite, at least 0. @defaultValue 0
   */
  readonly weightDecay?: number;
  /** Factors on the objectives' gradients, before the strategy sees them. @defaultValue 1 for each */
  readonly lossWeights?: Readonly<Partial<Record<NoInfer<Name>, number>>>;
  /**
   * Measures norms and cosines at every n-th step for strategies that do not need them: one more reverse pass per
   * objective at those steps, no change to the update. @defaultValue off
   */
  readonly observe?: { readonly every: number };
}

/** How `fit` runs. */
export interface FitOptions<Batch, Name extends string> extends ReadOptions {
  /** Epochs in all, an integer >= 1. */
  readonly epochs: number;
  /** Number of the first epoch, for a run that goes on. @defaultValue 0 */
  readonly initialEpoch?: number;
  /**
   * Where to go on: what `restore` returned of a snapshot made during an earlier `fit`. Data, options and callbacks
   * should be those of that call.
   */
  readonly resume?: FitState | null | undefined;
  /** Evaluated after each epoch; its numbers bear the prefix `val_`. */
  readonly validationData?: DataSource<Batch>;
  readonly callbacks?: readonly TrainerCallback<Name>[];
  /**
   * Milliseconds after which timers, input and drawing get a turn between two batches; Infinity for never.
   * @defaultValue 30
   */
  readonly yieldEvery?: number;
  /** Ends training after the step in progress when aborted; `fit` then returns what was measured. */
  readonly signal?: AbortSignal;
}
