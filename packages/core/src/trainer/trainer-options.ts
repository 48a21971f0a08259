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
import type { UpdateOptions } from '../update/update.ts';

/** What an objectives function is told beside the batch. */
export interface ObjectiveContext {
  /** True in a training step, false in `evaluate`: dropout and batch norm go by it. */
  readonly training: boolean;
  /** Number of the training step, from 0; the number of steps made so far in `evaluate`. */
  readonly step: number;
  /** This rank's part of a training batch: layers go by it, who calls them passes it on. Absent in `evaluate`. */
  readonly share?: BatchShare;
}

/** What a multi-objective trainer is made of. */
export interface TrainerOptions<Batch, Name extends string> extends GroupingOptions, UpdateOptions {
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
   * How many batches make up one step: gradients are their means, and inner products are taken of those means, so that
   * a step sees a batch that would not fit into memory at once. What is left over at the end of an epoch is not used. An
   * integer >= 1. @defaultValue 1
   */
  readonly accumulate?: number;
  /**
   * What becomes of a step whose losses or gradients are not finite: an error, or no step at all, counted as `skipped`
   * in the history. Where weights, optimizer slots or statistics are not finite themselves it is always an error, which
   * names them. @defaultValue `'throw'`
   */
  readonly onNonFinite?: 'throw' | 'skip';
  /**
   * How many steps in a row `onNonFinite: 'skip'` leaves out at most; the next one is an error. Steps that a dynamic loss
   * scale leaves out do not count. An integer >= 1. @defaultValue 10
   */
  readonly maxSkips?: number;
  /**
   * For backends of half precision: losses are multiplied by this power of two before the backward passes, so that small
   * gradients do not vanish on the way, and inner products and updates are divided by it. `{}` looks for the factor by
   * itself: a step whose gradients overflow is skipped and the factor halved, until it is 1. @defaultValue 1
   */
  readonly lossScale?: number | DynamicLossScale;
  /** Factors on the objectives' gradients, before the strategy sees them. @defaultValue 1 for each */
  readonly lossWeights?: Readonly<Partial<Record<NoInfer<Name>, number>>>;
  /**
   * Limits on each objective's gradient, times its loss weight, before the strategy sees it; `clip` limits what comes out
   * of it. Strategies that see no gradients then cost a backward pass per objective too. @defaultValue none
   */
  readonly clipObjectives?: ClipOptions;
  /**
   * Measures norms and cosines at every n-th step for strategies that do not need them: one more backward pass per
   * objective at those steps, no change to the update. @defaultValue off
   */
  readonly observe?: { readonly every: number };
  /**
   * The ranks that train together, each with its part of every batch, as `@multigrad/distributed` makes them; every rank
   * then makes the same calls. Weights are those of a trainer by itself that sees whole batches, but for rounding.
   * @defaultValue none
   */
  readonly exchange?: GradientExchange;
  /**
   * Whether batch norm takes the samples of all ranks, in forward and backward passes; otherwise each rank normalises by
   * its own samples, and moving statistics are means over the ranks. @defaultValue false
   */
  readonly synchronise?: boolean;
}

/** What a trainer's state needs to know of it. */
export type StateOptions = Omit<TrainerOptions<never, string>, 'objectives'>;

/** How `evaluate` reads its data, and with which weights. */
export interface EvaluateOptions extends ReadOptions {
  /** The weights as they are, or their average. @defaultValue `'current'` */
  readonly weights?: 'current' | 'average';
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
  /** With which weights: as they are, or their average. @defaultValue `'current'` */
  readonly validationWeights?: 'current' | 'average';
  readonly callbacks?: readonly TrainerCallback<Name>[];
  /**
   * Milliseconds after which timers, input and drawing get a turn between two batches; Infinity for never.
   * @defaultValue 30
   */
  readonly yieldEvery?: number;
  /** Ends training after the step in progress when aborted; `fit` then returns what was measured. */
  readonly signal?: AbortSignal;
}
