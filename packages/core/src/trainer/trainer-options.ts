import type { ClipOptions } from '../rows/clip-gradients.ts';
import type { BatchShare, GradientExchange } from '../ranks/gradient-exchange.ts';
import type { GroupingOptions } from '../step/integrate-options.ts';
import type { FeatureObjectives, Objectives } from '../network/objectives.ts';
import type { GradientStrategy } from '../contract/strategy.ts';
import type { TrainerCallback } from './callbacks.ts';
import type { DataSource, ReadOptions } from '../data/data-source.ts';
import type { DynamicLossScale } from './loss-scale.ts';
import type { NamedVariables } from '../network/run-variables.ts';
import type { FitState } from './snapshot.ts';
import type { Modulate } from '../update/modulation.ts';
import type { UpdateOptions } from '../update/update.ts';

/** The second argument of an objectives function. */
export interface ObjectiveContext {
  /** True in a training step, false in `evaluate`: dropout and batch norm depend on it. */
  readonly training: boolean;
  /** Number of the training step, from 0; the number of steps made so far in `evaluate`. */
  readonly step: number;
  /** This rank's part of a training batch: pass it on to layers that depend on it. Absent in `evaluate`. */
  readonly share?: BatchShare;
}

/** Options of a multi-objective trainer. They are one flat record; the reference lists them by subject. */
export interface TrainerOptions<Batch, Name extends string> extends GroupingOptions, UpdateOptions {
  /**
   * Computes the objectives' losses of a batch, by name: one synchronous forward pass.
   *
   * @group Network
   */
  readonly objectives: (
    batch: Batch,
    context: ObjectiveContext,
  ) => Objectives<Name> | FeatureObjectives<Name>;
  /**
   * The variables to train: a model of `tf.layers`, several by name, or parts of one; or a map or a list of variables.
   * Checkpoints, states and reports call them by the names of the map, by their own in a list, and by those of
   * `modelVariables` in a model.
   *
   * Of a model, `trainable` of its layers is read at each step: where it has changed, the step trains what is trainable
   * now, as after `freeze`. The statistics of a model come along without the option `statistics`.
   *
   * @group Network
   */
  readonly variables: NamedVariables;
  /**
   * Variables that the forward pass itself changes, such as the moving statistics of batch norm. Snapshots contain them.
   * @defaultValue none
   *
   * @group Network
   */
  readonly statistics?: NamedVariables;
  /**
   * The strategy that integrates the gradients.
   *
   * @group Gradients
   */
  readonly strategy: GradientStrategy;
  /**
   * Number of batches in one step, for batches that would not fit into memory at once. The strategy sees the inner products
   * of the mean gradients. Batches left over at the end of an epoch are not used. An integer >= 1. @defaultValue 1
   *
   * @group Gradients
   */
  readonly accumulate?: number;
  /**
   * What to do where losses or gradients are not finite: throw, or skip the step and count it as `skipped` in the history.
   * Where weights, optimizer slots or statistics are not finite it always throws, and names them. @defaultValue `'throw'`
   *
   * @group Numbers that are not finite
   */
  readonly onNonFinite?: 'throw' | 'skip';
  /**
   * The most steps in a row that `onNonFinite: 'skip'` skips; the next one throws. Steps that a dynamic loss scale skips do
   * not count. An integer >= 1. @defaultValue 10
   *
   * @group Numbers that are not finite
   */
  readonly maxSkips?: number;
  /**
   * A power of two for backends of half precision. Losses are multiplied by it before the backward passes, so that small
   * gradients do not become zero; inner products and updates are divided by it. `{}` finds the factor by itself: it skips a step
   * whose gradients overflow, and halves the factor, until it is 1. @defaultValue 1
   *
   * @group Numbers that are not finite
   */
  readonly lossScale?: number | DynamicLossScale;
  /**
   * Factors on the objectives' gradients, before the strategy sees them. @defaultValue 1 for each
   *
   * @group Gradients
   */
  readonly lossWeights?: Readonly<Partial<Record<NoInfer<Name>, number>>>;
  /**
   * Decides at each step, from its losses and metrics, what is done to variables beyond what the strategy did: a factor on
   * the integrated gradient or on the learning rate, another change of the gradient, no update at all. It comes before `clip`.
   * The methods of `@multigrad/balancing` work through it. @defaultValue none
   *
   * @throws MultigradError `invalid-argument` in a step, for a variable that is not the trainer's or a factor that is no
   * finite number >= 0
   *
   * @group Update
   */
  readonly modulate?: Modulate<NoInfer<Name>>;
  /**
   * Limits on each objective's gradient, after its loss weight and before the strategy sees it; `clip` limits the update.
   * With limits every strategy costs a backward pass for each objective. @defaultValue none
   *
   * @group Gradients
   */
  readonly clipObjectives?: ClipOptions;
  /**
   * Measures norms and cosines at every n-th step for reports, where the strategy does not need them. Such a step costs one
   * more backward pass for each objective; its update is the same. @defaultValue off
   *
   * @group Gradients
   */
  readonly observe?: { readonly every: number };
  /**
   * The exchange with the other ranks, which `@multigrad/distributed` makes. Each rank has its part of every batch and makes
   * the same calls. Up to rounding the weights are those of one process that sees whole batches.
   * @defaultValue none
   *
   * @group Ranks
   */
  readonly exchange?: GradientExchange;
  /**
   * Whether backward passes follow a plan. The first two steps note which kernels their backward passes run; later steps
   * with the same forward pass run these kernels without the bookkeeping of TensorFlow.js. Results are the same to the last
   * bit.
   *
   * `objectives` is called in every step. Where its operations, their attributes, shapes or connections are others, the step
   * makes its backward passes in the plain way, and a plan for them: losses may be missing, and batches may differ in size.
   * Gradient functions of `tf.customGrad` are called in every step. Gradients registered with `tf.registerGradient` must
   * depend on their arguments alone. With `exchange`, and in the parts of `accumulate`, there are no plans.
   * The trainer's `compilation` tells how many steps followed a plan, and why others did not.
   * @defaultValue true
   *
   * @group Gradients
   */
  readonly compile?: boolean;
  /**
   * Whether batch norm normalises by the samples of all ranks. If not, each rank normalises by its own samples, and moving
   * statistics are means over the ranks. @defaultValue false
   *
   * @group Ranks
   */
  readonly synchronise?: boolean;
}

/** The options that a trainer's state depends on. */
export type StateOptions = Omit<TrainerOptions<never, string>, 'objectives' | 'modulate'>;

/** Options of `evaluate`. */
export interface EvaluateOptions extends ReadOptions {
  /**
   * The weights to evaluate: the current ones, or their average. @defaultValue `'current'`
   *
   * @group Weights
   */
  readonly weights?: 'current' | 'average';
}

/** Options of `fit`. */
export interface FitOptions<Batch, Name extends string> extends ReadOptions {
  /**
   * Number of epochs in all, an integer >= 1.
   *
   * @group Course
   */
  readonly epochs: number;
  /**
   * Number of the first epoch, for a run that continues. @defaultValue 0
   *
   * @group Course
   */
  readonly initialEpoch?: number;
  /**
   * The position to continue from: what `restore` returned for a snapshot of an earlier `fit`. Data, options and callbacks
   * should be those of that call.
   *
   * @group Course
   */
  readonly resume?: FitState | null | undefined;
  /**
   * Data to evaluate after each epoch. Names of its losses and metrics begin with `val_`.
   *
   * @group Validation
   */
  readonly validationData?: DataSource<Batch>;
  /**
   * The weights to validate: the current ones, or their average. @defaultValue `'current'`
   *
   * @group Validation
   */
  readonly validationWeights?: 'current' | 'average';
  /**
   * Callbacks, called in this order.
   *
   * @group Callbacks
   */
  readonly callbacks?: readonly TrainerCallback<Name>[];
  /**
   * Milliseconds after which `fit` lets timers, input and drawing run between two batches; Infinity for never.
   * @defaultValue 30
   *
   * @group Course
   */
  readonly yieldEvery?: number;
  /**
   * Ends training after the current step when aborted; `fit` then returns its history so far.
   *
   * @group Course
   */
  readonly signal?: AbortSignal;
}
