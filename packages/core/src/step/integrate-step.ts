import type { Tensor } from '@tensorflow/tfjs-core';
import { type Combination, materialise } from '../rows/combination.ts';
import { MultigradError } from '../base/errors.ts';
import type { GradientStrategy } from '../contract/strategy.ts';
import { checkClip } from '../rows/clip-gradients.ts';
import type { OwnBatch } from './agreement.ts';
import { GradientMemory } from '../rows/gradient-memory.ts';
import type { ParameterGroup } from '../network/groups.ts';
import type {
  Forward,
  GroupingOptions,
  IntegratedStep,
  IntegrateOptions,
} from './integrate-options.ts';
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
import type { ForwardResult } from '../network/objectives.ts';
import { observeGraph, type ObservedGraph } from '../network/observe-graph.ts';
import { type RunVariable, tensorsOf } from '../network/run-variables.ts';
import type { StepContext, StepOutcome } from './step-context.ts';
import { buildStructure, checkGraph } from '../network/structure.ts';
import { recordForward } from '../network/record-forward.ts';
import type { Tape } from '../tape/tape.ts';
import { TensorBag } from '../tape/tensor-bag.ts';
import { reusedWeights, weightedSweep } from './weighted-sweep.ts';

// One step of integration; whoever calls it holds the variables.

/** One step with the gradients added up, by the run's names; they are the caller's. */
export async function integrateSums<Name extends string>(
  forward: Forward<Name> | readonly Forward<Name>[],
  variables: readonly RunVariable[],
  strategy: GradientStrategy,
  options: IntegrateOptions<Name>,
): Promise<IntegratedStep<Name> & { readonly gradients: ReadonlyMap<string, Tensor | null> }> {
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
    return { gradients: new Map(gradients) };
  });
}

/**
 * The same for an optimizer that adds up by itself: `use` gets the gradients as rows and weights, which are freed when
 * it has returned. Among several ranks they are this one's slices, flat.
 */
export async function integrateCombinations<Name extends string>(
  forward: Forward<Name> | readonly Forward<Name>[],
  variables: readonly RunVariable[],
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
  variables: readonly RunVariable[],
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
  const bag = new TensorBag();
  const tapes: Tape<ForwardResult>[] = [];
  const empty = new GradientMemory();
  try {
    const run = (): readonly OwnBatch[] => {
      for (const each of forwards) tapes.push(recordForward(each, bag, exchange !== undefined));
      return tapes.map((tape, batch) => ({
        tape,
        graph: observeGraph(tape, tape.paths(tensorsOf(variables)), variables, level),
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
 * The state before the first step, from several forward passes: the union of what they reach.
 *
 * @throws MultigradError `unreached-variable` when a variable is reached in none of them
 */
export function buildGroups<Name extends string>(
  forwards: readonly Forward<Name>[],
  variables: readonly RunVariable[],
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
      return observeGraph(tape, tape.paths(tensorsOf(variables)), variables, level);
    } finally {
      tape?.dispose();
      bag.dispose();
    }
  });
  return initialStateOf(graphs, variables, strategy, options);
}

function initialStateOf(
  graphs: readonly ObservedGraph[],
  variables: readonly RunVariable[],
  strategy: GradientStrategy,
  options: GroupingOptions,
): IntegrationState {
  const grouping = groupingOf(options);
  const structure = buildStructure(graphs, variables, { ...grouping, parts: options.parts ?? {} });
  return initialState(structure, strategy, grouping, variables);
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
