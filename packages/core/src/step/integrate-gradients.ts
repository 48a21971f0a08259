import type { NamedTensorMap, Variable } from '@tensorflow/tfjs-core';
import { type Combination, materialise } from '../rows/combination.ts';
import { MultigradError } from '../base/errors.ts';
import type { GradientStrategy } from '../contract/strategy.ts';
import { checkClip, type ClipOptions } from '../rows/clip-gradients.ts';
import type { OwnBatch } from './agreement.ts';
import type { GradientExchange } from '../collective/gradient-exchange.ts';
import { GradientMemory } from '../rows/gradient-memory.ts';
import type { GroupBy, NamedParts, ParameterGroup } from '../network/groups.ts';
import {
  checkState,
  type Grouping,
  initialState,
  type IntegrationState,
} from '../network/integration-state.ts';
import { forwardPasses, gatherGradients, sharedStateOf } from './integrate-over-ranks.ts';
import {
  checkBatches,
  checkCall,
  checkLossWeights,
  checkSameObjectives,
} from '../network/integration-checks.ts';
import { checkLossScale } from '../rows/loss-scale.ts';
import { objectiveSweeps } from './objective-sweeps.ts';
import type { FeatureObjectives, ForwardResult, Objectives } from '../network/objectives.ts';
import { type Level, observeGraph, type ObservedGraph } from '../network/observe-graph.ts';
import type { GroupReport } from './report.ts';
import type { StepContext, StepOutcome } from './step-context.ts';
import { buildStructure, checkGraph } from '../network/structure.ts';
import { recordForward } from '../network/record-forward.ts';
import type { Tape } from '../tape/tape.ts';
import { TensorBag } from '../tape/tensor-bag.ts';
import { lockVariables } from '../network/variable-lock.ts';
import { reusedWeights, weightedSweep } from './weighted-sweep.ts';

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
   * one objective's gradients, of features with `level: 'features'`. Strategies that see no gradients then cost a reverse
   * pass per objective too. @defaultValue none
   */
  readonly clipObjectives?: ClipOptions | undefined;
  /**
   * A power of two, 1 … 2^32, by which losses are multiplied before the reverse passes, so that what half precision
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
   * Whether the forward function itself adds up over the ranks, there and in the sweeps (batch norm over all samples):
   * each rank must then have every objective, or the others would wait for it. @defaultValue false
   */
  readonly sumsWithin?: boolean | undefined;
}

/** Computes the objectives of one batch; synchronous. */
export type Forward<Name extends string = string> = () =>
  Objectives<Name> | FeatureObjectives<Name>;

/** One step's integrated gradients. */
export interface IntegratedGradients<Name extends string = string> {
  /**
   * The update for each variable, by name, in the order of `variables`: hand it to `optimizer.applyGradients` and
   * dispose of it afterwards (`tf.dispose(gradients)`).
   *
   * Variables that no objective of this step reached hold `null`, which TensorFlow.js optimizers skip; the name stays
   * in the record because they keep their slots by position. Declare an optimizer as `tf.Optimizer`: the types of some
   * of its kinds are narrower than what they take.
   */
  readonly gradients: NamedTensorMap;
  /** Losses of the objectives present, before any weight. */
  readonly losses: Readonly<Partial<Record<Name, number>>>;
  /** Metrics that came with the objectives. */
  readonly metrics: Readonly<Partial<Record<Name, Readonly<Record<string, number>>>>>;
  /** What happened in each group. */
  readonly groups: readonly GroupReport[];
  /** Hand this in at the next step. */
  readonly state: IntegrationState;
  /**
   * The vectors that the strategy remembers, for strategies with `needs.memory`: hand them in at the next step, and
   * dispose of the previous ones then.
   */
  readonly memory?: GradientMemory;
  /** Number of this step, from 0. */
  readonly step: number;
  /** Reverse passes made. */
  readonly sweeps: number;
  /** Whether norms and cosines were measured for strategies that do not need them. */
  readonly observed: boolean;
}

/**
 * Runs one forward pass, takes each objective's gradient, and integrates them by a strategy: the update of a group of
 * parameters is `Σ_k w_k g_k` with the weights `w` that the strategy finds from the Gramian `G_ij = ⟨g_i, g_j⟩`.
 *
 * The forward function is called once. The cheapest exact plan is taken: strategies that see no gradients cost one
 * reverse pass, others one for each objective, and one asynchronous read-back. Nothing is applied to the variables.
 *
 * @param forward - computes the objectives; synchronous, all operations from variables to losses inside. For strategies
 *   whose needs name several `batches` a list of as many functions, one for each independent batch; the losses and
 *   metrics returned are then means over the batches, as are the gradients of groups that one objective reaches
 * @param variables - what to differentiate with respect to
 * @param strategy - how to integrate
 * @throws MultigradError `invalid-objective`, `unreached-variable`, `non-finite`, `structure-changed`,
 *   `interleaved-call`, `missing-gradients`, `unsupported`; nothing that the step made stays alive then
 *
 * @example
 * ```ts
 * import { integrateGradients, type IntegrationState } from '@multigrad/core';
 * import { pcgrad } from '@multigrad/strategy-pcgrad';
 * import * as tf from '@tensorflow/tfjs-core';
 * import '@tensorflow/tfjs-backend-cpu';
 * import '@tensorflow/tfjs-layers';
 *
 * const shared = tf.variable(tf.tensor1d([1, 2]));
 * const strategy = pcgrad({ seed: 1 });
 * const optimizer = tf.train.sgd(0.1);
 * let state: IntegrationState | undefined;
 * for (let step = 0; step < 3; step += 1) {
 *   const result = await integrateGradients(
 *     () => ({
 *       near: tf.sum(tf.square(shared)),
 *       far: tf.sum(tf.square(tf.sub(shared, 3))),
 *     }),
 *     [shared],
 *     strategy,
 *     { state },
 *   );
 *   state = result.state;
 *   optimizer.applyGradients(result.gradients);
 *   tf.dispose(result.gradients);
 *   console.log(result.losses.near, result.groups[0]?.cosines);
 * }
 * ```
 */
export async function integrateGradients<Name extends string>(
  forward: Forward<Name> | readonly Forward<Name>[],
  variables: readonly Variable[],
  strategy: GradientStrategy,
  options: IntegrateOptions<Name> = {},
): Promise<IntegratedGradients<Name>> {
  return integrate(forward, variables, strategy, options, async (combinations, outcome, bag) => {
    const { exchange } = options;
    const summed = Array.from(combinations, ([name, combination]) => {
      if (combination === null) return [name, null] as const;
      const { rows, weights } = combination;
      // A lone gradient of weight 1 is handed on as it is, but for what the memory owns.
      const whole = rows.length === 1 && weights[0] === 1 && outcome.memory === null;
      return [name, bag.keep(whole ? rows[0]! : materialise(combination))] as const;
    });
    const gradients =
      exchange === undefined ? summed : await gatherGradients(exchange, summed, variables, bag);
    for (const [, gradient] of gradients) bag.give(gradient);
    return { gradients: Object.fromEntries(gradients) as NamedTensorMap };
  });
}

/** What a step brings about beside the gradients. */
export type IntegratedStep<Name extends string = string> = Omit<
  IntegratedGradients<Name>,
  'gradients'
>;

/**
 * The same for an optimizer that adds up by itself: `use` gets the gradients as rows and weights, which are freed when
 * it has returned. Among several ranks they are this one's slices, flat.
 */
export async function integrateCombinations<Name extends string>(
  forward: Forward<Name> | readonly Forward<Name>[],
  variables: readonly Variable[],
  strategy: GradientStrategy,
  options: IntegrateOptions<Name>,
  use: (
    combinations: ReadonlyMap<string, Combination | null>,
    groups: readonly ParameterGroup[],
  ) => void | Promise<void>,
): Promise<IntegratedStep<Name>> {
  return integrate(forward, variables, strategy, options, async (combinations, { state }) => {
    await use(combinations, state.groups);
    return {};
  });
}

async function integrate<Name extends string, Extra extends object>(
  forward: Forward<Name> | readonly Forward<Name>[],
  variables: readonly Variable[],
  strategy: GradientStrategy,
  options: IntegrateOptions<Name>,
  use: (
    combinations: ReadonlyMap<string, Combination | null>,
    outcome: StepOutcome,
    bag: TensorBag,
  ) => Promise<Extra>,
): Promise<IntegratedStep<Name> & Extra> {
  const { lossWeights = {}, observe = false, lossScale = 1, clipObjectives, exchange } = options;
  const grouping = groupingOf(options);
  const { level, singles } = grouping;
  checkCall(variables, strategy, grouping, (exchange?.size ?? 1) > 1);
  const forwards = typeof forward === 'function' ? [forward] : forward;
  checkBatches(strategy, forwards.length);
  checkLossScale('lossScale', lossScale);
  if (clipObjectives !== undefined) checkClip('clipObjectives', clipObjectives);
  const unlock = lockVariables(variables);
  const bag = new TensorBag();
  const tapes: Tape<ForwardResult>[] = [];
  const empty = new GradientMemory();
  try {
    const run = (): readonly OwnBatch[] => {
      for (const each of forwards) tapes.push(recordForward(each, bag, exchange !== undefined));
      return tapes.map((tape, batch) => ({
        tape,
        graph: observeGraph(tape, tape.paths(variables), variables, level),
        samples: options.samples?.[batch] ?? 1,
      }));
    };
    const { own, agreement } = await forwardPasses(exchange, variables, options.sumsWithin, run);
    const graphs = own.map(({ graph }) => graph);
    const [tape, ...furtherTapes] = tapes as [Tape<ForwardResult>, ...Tape<ForwardResult>[]];
    const graph = graphs[0]!;
    const state = options.state ?? {
      ...(await sharedStateOf(exchange, () =>
        initialStateOf(graphs, variables, strategy, options),
      )),
      step: options.firstStep ?? 0,
    };
    checkState(state, strategy, grouping, variables);
    for (const each of graphs) {
      checkGraph(each, state, 'Build from batches that show every objective, or rebuild.');
      checkSameObjectives(graph.objectives, each.objectives);
    }
    checkLossWeights(lossWeights, state.objectives);
    const memory = memoryOf(strategy, options, empty);

    const context = {
      tape,
      furtherTapes,
      memory,
      graph,
      variables,
      strategy,
      state,
      singles,
      lossWeights,
      lossScale,
      clipObjectives,
      bag,
      agreement,
    };
    const outcome = (await inOneSweep(context, observe)) ?? (await objectiveSweeps(context));
    // What operations saved is let go before the optimizer's turn: clones of the variables are among it.
    for (const each of tapes) each.dispose();
    try {
      const extra = await use(outcome.combinations, outcome, bag);
      return { ...present<Name>(outcome, graph, state.step), ...extra };
    } catch (error) {
      outcome.memory?.dispose();
      throw error;
    }
  } finally {
    for (const tape of tapes) tape.dispose();
    bag.dispose();
    unlock();
  }
}

/** The step by one sweep; null where gradients of single objectives have to be at hand. */
async function inOneSweep(context: StepContext, observe: boolean): Promise<StepOutcome | null> {
  if (context.clipObjectives !== undefined) return null;
  return context.strategy.needs.gradients === 'none'
    ? weightedSweep(context, observe)
    : reusedWeights(context, observe);
}

/**
 * The state before the first step, from several forward passes: the union of what they reach, where no single batch
 * shows every objective (a data set for each task).
 *
 * @param forwards - forward functions as for `integrateGradients`, each called once; their gradients are not taken
 * @throws MultigradError `unreached-variable` when a variable is reached in none of them
 */
export function buildIntegration<Name extends string>(
  forwards: readonly Forward<Name>[],
  variables: readonly Variable[],
  strategy: GradientStrategy,
  options: GroupingOptions = {},
): IntegrationState {
  const grouping = groupingOf(options);
  const { level } = grouping;
  checkCall(variables, strategy, grouping);
  const graphs = forwards.map((forward): ObservedGraph => {
    const bag = new TensorBag();
    let tape: Tape<ForwardResult> | undefined;
    try {
      tape = recordForward(forward, bag);
      return observeGraph(tape, tape.paths(variables), variables, level);
    } finally {
      tape?.dispose();
      bag.dispose();
    }
  });
  return initialStateOf(graphs, variables, strategy, options);
}

function initialStateOf(
  graphs: readonly ObservedGraph[],
  variables: readonly Variable[],
  strategy: GradientStrategy,
  options: GroupingOptions,
): IntegrationState {
  const grouping = groupingOf(options);
  const structure = buildStructure(graphs, variables, { ...grouping, parts: options.parts ?? {} });
  return initialState(structure, strategy, grouping);
}

/** The options with their defaults. */
export function groupingOf(options: GroupingOptions): Grouping {
  const { groupBy = 'reach', level = 'parameters', singles = 'plain' } = options;
  return { groupBy, level, singles };
}

/** The memory to go on from; a run's first step begins with an empty one. */
function memoryOf(
  { name, needs }: GradientStrategy,
  { state, memory }: IntegrateOptions,
  empty: GradientMemory,
): GradientMemory | undefined {
  if (needs.memory !== true) return undefined;
  if (memory !== undefined) return memory;
  if (state === undefined || state.step === 0) return empty;
  throw new MultigradError(
    'invalid-argument',
    `Option \`memory\` should be what step ${state.step - 1} returned as \`memory\`: strategy \`${name}\` remembers gradients. ` +
      'Found undefined; an empty `new GradientMemory()` starts from zeros.',
  );
}

function present<Name extends string>(
  { numbers, groups, state, memory, sweeps, observed }: StepOutcome,
  { objectives }: ObservedGraph,
  step: number,
): IntegratedStep<Name> {
  const byName = <T>(values: ArrayLike<T>): Record<string, T> =>
    Object.fromEntries(objectives.map((name, k) => [name, values[k]!]));
  return {
    losses: byName(numbers.losses) as Partial<Record<Name, number>>,
    metrics: byName(numbers.metrics) as Partial<Record<Name, Record<string, number>>>,
    groups,
    state,
    ...(memory === null ? {} : { memory }),
    step,
    sweeps,
    observed,
  };
}
