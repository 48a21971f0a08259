import { fromFaithfulJson, toFaithfulJson } from '../base/faithful-json.ts';
import type { Json } from '../base/json.ts';
import type { GradientStrategy } from '../contract/strategy.ts';
import { checkCall, checkSameObjectives } from '../network/integration-checks.ts';
import {
  checkState,
  type Grouping,
  initialState,
  type IntegrationState,
} from '../network/integration-state.ts';
import type { ForwardResult } from '../network/objectives.ts';
import { observeGraph, type ObservedGraph } from '../network/observe-graph.ts';
import { type Pass, recordForward } from '../network/passes.ts';
import { type RunVariable, tensorsOf } from '../network/run-variables.ts';
import { buildStructure, checkGraph } from '../network/structure.ts';
import type { Collective } from '../ranks/collective.ts';
import type { Tape } from '../tape/tape.ts';
import { TensorBag } from '../tape/ownership.ts';
import { initialSampleState } from './sample-state.ts';
import type { Forward, GroupingOptions, IntegrateOptions } from './integrate-options.ts';

/** The state before this step. At the first step it finds the groups, and rank 0's strategy makes the initial states. */
export async function stateOf(
  passes: readonly Pass[],
  variables: readonly RunVariable[],
  strategy: GradientStrategy,
  options: IntegrateOptions,
  collective: Collective,
): Promise<IntegrationState> {
  const graphs = passes.map(({ graph }) => graph);
  const state = options.state ?? (await begin(graphs, variables, strategy, options, collective));
  checkState(state, strategy, groupingOf(options), variables);
  for (const graph of graphs) {
    checkGraph(graph, state, 'Build from batches that show every objective, or rebuild.');
    checkSameObjectives(graphs[0]!.objectives, graph.objectives);
  }
  return state;
}

async function begin(
  graphs: readonly ObservedGraph[],
  variables: readonly RunVariable[],
  strategy: GradientStrategy,
  options: IntegrateOptions,
  collective: Collective,
): Promise<IntegrationState> {
  const own = initialStateOf(graphs, variables, strategy, options);
  const { run, states } = await collective.fromFirst(
    'initial states',
    () => ({ run: own.run, states: own.groups.map(({ state }) => state) }),
    {
      toJson: (value) => toFaithfulJson(value, 'state of a strategy'),
      fromJson: (json) => fromFaithfulJson(json) as unknown as InitialStates,
    },
  );
  const groups = own.groups.map((group, place) => ({ ...group, state: states[place]! }));
  return { ...own, run, groups, step: options.firstStep ?? 0 };
}

type InitialStates = { run: Json; states: Json[] };

/**
 * Builds the state before the first step from several forward passes: a group contains what any of them reaches.
 *
 * @throws MultigradError `unreached-variable` when a variable is reached in none of them
 */
export function buildGroups<Name extends string>(
  strategy: GradientStrategy,
  forwards: readonly Forward<Name>[],
  variables: readonly RunVariable[],
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
  const samples = Math.max(...graphs.map((graph) => graph.samples ?? 0));
  return samples === 0
    ? initialState(structure, strategy, grouping, variables)
    : initialSampleState(structure, samples, strategy, grouping, variables);
}

/** The grouping options with their defaults filled in. */
export function groupingOf(options: GroupingOptions): Grouping {
  const { groupBy = 'reach', level = 'parameters', singles = 'plain' } = options;
  return { groupBy, level, singles };
}
