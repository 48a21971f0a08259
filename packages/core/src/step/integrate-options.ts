import type { OptionNames } from '../base/known-options.ts';
import type { GradientExchange } from '../ranks/gradient-exchange.ts';
import type { GroupBy, NamedParts } from '../network/groups.ts';
import type { IntegrationState } from '../network/integration-state.ts';
import type { FeatureObjectives, Objectives } from '../network/objectives.ts';
import type { Level } from '../network/observe-graph.ts';
import type { ClipOptions } from '../rows/clip-gradients.ts';
import type { GradientMemory } from '../rows/gradient-memory.ts';
import type { GroupReport } from './report.ts';

/** How a network's gradients are grouped; fixed when it is built. */
export interface GroupingOptions {
  /** How variables fall into groups. @defaultValue `'reach'` */
  readonly groupBy?: GroupBy;
  /** Names of the network's parts: variables of different parts are never in one group under `'reach'`. */
  readonly parts?: NamedParts;
  /** Where gradients are integrated. @defaultValue `'parameters'` */
  readonly level?: Level;
  /**
   * Groups that one objective reaches (heads): their plain gradient, or weighted by the strategy. Strategies that see
   * no gradients always weight them. @defaultValue `'plain'`
   */
  readonly singles?: 'plain' | 'weighted';
}

export const groupingOptionNames: OptionNames<GroupingOptions> = {
  groupBy: true,
  parts: true,
  level: true,
  singles: true,
};

/** Options of one integration step. */
export interface IntegrateOptions<Name extends string = string> extends GroupingOptions {
  /** The state that the previous step returned; left out at the first step, which then builds the groups. */
  readonly state?: IntegrationState | undefined;
  /** Number of the step where no state is given, an integer >= 0. @defaultValue 0 */
  readonly firstStep?: number;
  /**
   * What the previous step returned as `memory`, for strategies with `needs.memory`; it stays the caller's, to dispose
   * of after the step.
   */
  readonly memory?: GradientMemory | undefined;
  /** Factors on the objectives' gradients, before the strategy sees them; finite, at least 0. @defaultValue 1 for each */
  readonly lossWeights?: Readonly<Partial<Record<NoInfer<Name>, number>>>;
  /**
   * Limits on each objective's gradient, times its loss weight, before the strategy sees it; the norm of all is that of
   * one objective's gradients, of features with `level: 'features'`. Strategies that see no gradients then cost a backward
   * pass per objective too. @defaultValue none
   */
  readonly clipObjectives?: ClipOptions | undefined;
  /**
   * A power of two, 1 … 2^32, by which losses are multiplied before the backward passes, so that what half precision
   * would round to zero on the way survives. Strategies see the Gramian of the gradients themselves, and the update is
   * theirs: the factor is taken out of inner products and weights, in float64, which rounds nothing. @defaultValue 1
   */
  readonly lossScale?: number;
  /** Whether to measure norms and cosines for the report although the strategy does not need them. @defaultValue false */
  readonly observe?: boolean;
  /**
   * The ranks that integrate together, each with its part of the batch: losses, gradients and inner products are those of
   * all of it, and strategies decide once for all. @defaultValue none: a process by itself
   */
  readonly exchange?: GradientExchange | undefined;
  /**
   * Samples in each batch of this rank, by which means of objectives that do not say theirs are weighted among ranks.
   * @defaultValue 1 for each
   */
  readonly samples?: readonly number[] | undefined;
  /**
   * Whether the forward function itself adds up over the ranks, there and in the backward passes (batch norm over all samples):
   * each rank must then have every objective, or the others would wait for it. @defaultValue false
   */
  readonly sumsWithin?: boolean | undefined;
}

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

/** What a step brings about beside the gradients. */
export interface IntegratedStep<Name extends string = string> {
  /** Losses of the objectives present, before any weight. */
  readonly losses: Readonly<Partial<Record<Name, number>>>;
  /** Metrics that came with the objectives. */
  readonly metrics: Readonly<Partial<Record<Name, Readonly<Record<string, number>>>>>;
  /** What happened in each group. */
  readonly groups: readonly GroupReport[];
  /** Hand this in at the next step. */
  readonly state: IntegrationState;
  /**
   * The memory of the strategy, for strategies with `needs.memory`: hand them in at the next step, and
   * dispose of the previous ones then.
   */
  readonly memory?: GradientMemory;
  /** Number of this step, from 0. */
  readonly step: number;
  /** Backward passes made. */
  readonly backwardPasses: number;
  /** Whether norms and cosines were measured for strategies that do not need them. */
  readonly observed: boolean;
}
