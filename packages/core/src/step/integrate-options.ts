import type { OptionNames } from '../base/known-options.ts';
import type { GradientExchange } from '../ranks/gradient-exchange.ts';
import type { GroupBy, PartsOrLayers } from '../network/groups.ts';
import type { IntegrationState } from '../network/integration-state.ts';
import type { FeatureObjectives, Objectives } from '../network/objectives.ts';
import type { Level } from '../network/observe-graph.ts';
import type { ClipOptions } from '../rows/clip-gradients.ts';
import type { GradientMemory } from '../rows/gradient-memory.ts';
import type { GroupReport } from './report.ts';

/** How a network's gradients are grouped; fixed when it is built. */
export interface GroupingOptions {
  /**
   * How variables fall into groups. @defaultValue `'reach'`
   *
   * @group Groups
   */
  readonly groupBy?: GroupBy;
  /**
   * Names of the network's parts, each with its variables, its layers or its model: variables of different parts are never in one group under `'reach'`.
   *
   * @group Groups
   */
  readonly parts?: PartsOrLayers;
  /**
   * Where gradients are integrated. @defaultValue `'parameters'`
   *
   * @group Groups
   */
  readonly level?: Level;
  /**
   * The update of groups that one objective reaches (heads): its plain gradient, or its gradient times the weight that the
   * strategy gives it. Strategies that see no gradients always weight it. @defaultValue `'plain'`
   *
   * @group Groups
   */
  readonly singles?: 'plain' | 'weighted';
}

/** The names of {@link GroupingOptions}. */
export const groupingOptionNames: OptionNames<GroupingOptions> = {
  groupBy: true,
  parts: true,
  level: true,
  singles: true,
};

/** Options of one integration step. */
export interface IntegrateOptions<Name extends string = string> extends GroupingOptions {
  /** The state that the previous step returned. Leave it out at the first step, which builds the groups. */
  readonly state?: IntegrationState | undefined;
  /** Number of the step where no state is given, an integer >= 0. @defaultValue 0 */
  readonly firstStep?: number;
  /**
   * The memory that the previous step returned, for strategies with `needs.memory`. It stays yours: dispose of it after the
   * step.
   */
  readonly memory?: GradientMemory | undefined;
  /** Factors on the objectives' gradients, before the strategy sees them; finite, at least 0. @defaultValue 1 for each */
  readonly lossWeights?: Readonly<Partial<Record<NoInfer<Name>, number>>>;
  /**
   * Limits on each objective's gradient, after its loss weight and before the strategy sees it. `globalNorm` is the norm of
   * one objective's gradients, with `level: 'features'` of those at features. With limits every strategy costs a backward
   * pass for each objective. @defaultValue none
   */
  readonly clipObjectives?: ClipOptions | undefined;
  /**
   * A power of two, 1 … 2^32, by which losses are multiplied before the backward passes, so that half precision does not
   * round small gradients to zero. It changes nothing else: the factor is taken out of inner products and weights in float64,
   * without rounding. @defaultValue 1
   */
  readonly lossScale?: number;
  /** Whether to measure norms and cosines for the report where the strategy does not need them. @defaultValue false */
  readonly observe?: boolean;
  /**
   * The exchange with the other ranks, where several integrate together, each with its part of the batch. Losses, gradients
   * and inner products are then those of the whole batch. @defaultValue none: one process
   */
  readonly exchange?: GradientExchange | undefined;
  /**
   * Number of samples in each batch of this rank. Ranks weight their means by it, for objectives that do not say how many
   * samples they have. @defaultValue 1 for each
   */
  readonly samples?: readonly number[] | undefined;
  /**
   * Whether the forward function itself adds up over the ranks, as batch norm over all samples does. Every rank must then
   * have every objective: the others would wait for one that is missing. @defaultValue false
   */
  readonly sumsWithin?: boolean | undefined;
}

/** The names of {@link IntegrateOptions}. */
export const integrateOptionNames: OptionNames<IntegrateOptions> = {
  state: true,
  memory: true,
  ...groupingOptionNames,
  lossWeights: true,
  clipObjectives: true,
  lossScale: true,
  observe: true,
  firstStep: true,
  exchange: true,
  samples: true,
  sumsWithin: true,
};

/** Computes the objectives of one batch; synchronous. */
export type Forward<Name extends string = string> = () =>
  Objectives<Name> | FeatureObjectives<Name>;

/** The result of a step beside the gradients. */
export interface IntegratedStep<Name extends string = string> {
  /** Losses of the objectives present, before any weight. */
  readonly losses: Readonly<Partial<Record<Name, number>>>;
  /** Metrics that came with the objectives. */
  readonly metrics: Readonly<Partial<Record<Name, Readonly<Record<string, number>>>>>;
  /** A report for each group. */
  readonly groups: readonly GroupReport[];
  /** Hand this in at the next step. */
  readonly state: IntegrationState;
  /**
   * The memory of the strategy, for strategies with `needs.memory`. Hand it in at the next step, and dispose of the previous
   * one after that step.
   */
  readonly memory?: GradientMemory;
  /** Number of this step, from 0. */
  readonly step: number;
  /** Number of backward passes that the step made. */
  readonly backwardPasses: number;
  /** Whether norms and cosines were measured for the report alone. */
  readonly observed: boolean;
}
