import { type Tensor, zerosLike } from '@tensorflow/tfjs-core';
import type { Json } from '../strategy/json.ts';
import { consultStrategy } from '../strategy/consult-strategy.ts';
import { finishGroup, type GroupGramians, startGroup, type TensorRows } from './gradient-rows.ts';
import type { GroupState } from './integration-state.ts';
import { checkLosses, nonFiniteGradient } from './non-finite.ts';
import { readTogether } from './read-back.ts';
import { describeGramian, type GroupReport } from './report.ts';
import { combineRows, finishGramian, startGramian } from './row-kernels.ts';
import {
  presentGroups,
  type PresentGroup,
  scalarsOf,
  seedOf,
  sortNumbers,
  type StepContext,
  type StepNumbers,
  type StepOutcome,
} from './step-context.ts';

/** A tensor at which gradients are integrated: a variable, or a feature that stands for those behind it. */
interface Target {
  readonly name: string;
  readonly tensor: Tensor;
}

/** What is to become of one group at this step. */
interface Decision {
  readonly present: PresentGroup;
  readonly weightsOf: (tensor: string) => Float64Array;
  readonly state: Json;
  readonly report: GroupReport;
}

/**
 * The plan for strategies that look at gradients: one sweep for each objective present, one read-back, then the
 * weighted combination. At the level of features the sweeps end at the cut tensors, and one more carries the combined
 * gradients on to the variables behind them.
 */
export async function objectiveSweeps(context: StepContext): Promise<StepOutcome> {
  const { tape, graph, state, bag } = context;
  const { objectives } = tape.value;
  const targets = targetsOf(context);
  const paths = tape.paths(targets.map(({ tensor }) => tensor));
  const swept = objectives.map((objective) =>
    bag.keepAll(tape.sweep([seedOf(context, objective)], paths)),
  );
  const rowsOf = rowsByTarget(targets, swept);

  const pending = presentGroups(context).map((present) =>
    startGroup(present, tensorRows(present, rowsOf), bag),
  );
  const scalars = scalarsOf(objectives);
  const packed = pending.flatMap(({ tensors }) => tensors.map((tensor) => tensor.pending.packed));
  const values = await readTogether([...scalars, ...packed]);

  const numbers = sortNumbers(objectives, values.splice(0, scalars.length));
  checkLosses(graph.objectives, numbers.losses, state.step);
  const decisions = pending.map((group) => {
    const gramians = finishGroup(group, values.splice(0, group.tensors.length), state.step);
    return decide(context, group.present, gramians, numbers);
  });

  const combined = new Map<string, Tensor | null>();
  for (const { present, weightsOf } of decisions) {
    for (const { tensor, rows } of tensorRows(present, rowsOf)) {
      combined.set(tensor, combine(context, rows, weightsOf(tensor)));
    }
  }
  const trunk = await sweepTrunk(context, combined);
  const gradients = new Map(
    context.variables.map(({ name }) => [name, combined.get(name) ?? trunk.get(name) ?? null]),
  );
  for (const gradient of gradients.values()) bag.give(gradient);
  const states = new Map(decisions.map(({ present, state: next }) => [present.group.key, next]));
  return {
    gradients,
    numbers,
    groups: decisions.map(({ report }) => report),
    state: {
      ...state,
      step: state.step + 1,
      groups: state.groups.map((group) => ({
        ...group,
        state: states.get(group.key) ?? group.state,
      })),
    },
    sweeps: objectives.length + (graph.features.length > 0 ? 1 : 0),
  };
}

/** The tensors at which gradients meet: each group's variables, or its cut tensor. */
function targetsOf({ variables, graph, state }: StepContext): Target[] {
  const behindFeature = new Set(
    state.groups.flatMap(({ feature, variables: names }) => (feature === null ? [] : names)),
  );
  return [
    ...graph.features.map(({ name, tensor }) => ({ name: targetName(name), tensor })),
    ...variables
      .filter(({ name }) => !behindFeature.has(name))
      .map((variable) => ({ name: variable.name, tensor: variable })),
  ];
}

/** Features and variables may bear the same name; targets must not. */
function targetName(feature: string): string {
  return `feature:${feature}`;
}

function targetNames(group: GroupState): readonly string[] {
  return group.feature === null ? group.variables : [targetName(group.feature)];
}

function rowsByTarget(
  targets: readonly Target[],
  swept: readonly (readonly (Tensor | null)[])[],
): (target: string, objective: number) => Tensor | null {
  const indices = new Map(targets.map(({ name }, index) => [name, index]));
  return (target, objective) => swept[objective]?.[indices.get(target) ?? -1] ?? null;
}

function tensorRows(
  { group, objectives }: PresentGroup,
  rowsOf: (target: string, objective: number) => Tensor | null,
): TensorRows[] {
  return targetNames(group).map((tensor) => ({
    tensor,
    rows: objectives.map((objective) => rowsOf(tensor, objective)),
  }));
}

function decide(
  context: StepContext,
  present: PresentGroup,
  gramians: GroupGramians,
  numbers: StepNumbers,
): Decision {
  const { group, names, objectives } = present;
  const measured = { key: group.key, objectives: names, ...describeGramian(gramians.gramian) };
  if (names.length === 1 && context.singles === 'plain') {
    const weights = Float64Array.of(1);
    return {
      present,
      weightsOf: () => weights,
      state: group.state,
      report: { ...measured, weights: [1] },
    };
  }
  const { weights, tensorWeights, state, note, diagnostics } = consultStrategy(
    context.strategy,
    {
      objectives: names,
      ...gramians,
      losses: Float64Array.from(objectives, (index) => numbers.losses[index]!),
      step: context.state.step,
    },
    group.state,
  );
  return {
    present,
    weightsOf: (tensor) => tensorWeights?.get(tensor) ?? weights,
    state,
    report: {
      ...measured,
      weights: [...weights],
      ...(note === undefined ? {} : { note }),
      ...(diagnostics === undefined ? {} : { diagnostics }),
    },
  };
}

function combine(
  { bag }: StepContext,
  rows: readonly (Tensor | null)[],
  weights: Float64Array,
): Tensor | null {
  const reaching = [...rows.keys()].filter((k) => rows[k] !== null);
  const [only] = reaching;
  if (only === undefined) return null;
  // A lone gradient of weight 1 is handed on as it is.
  if (reaching.length === 1 && weights[only] === 1) return rows[only]!;
  return bag.keep(
    combineRows(
      reaching.map((k) => rows[k]!),
      Float64Array.from(reaching, (k) => weights[k]!),
    ),
  );
}

/** One sweep from all cut tensors at once to the variables behind them; they do not reach each other. */
async function sweepTrunk(
  { tape, graph, variables, state, bag }: StepContext,
  combined: ReadonlyMap<string, Tensor | null>,
): Promise<ReadonlyMap<string, Tensor | null>> {
  if (graph.features.length === 0) return new Map();
  const behind = variables.filter(({ name }) =>
    graph.features.some((feature) => feature.variables.has(name)),
  );
  const seeds = graph.features.map(({ name, tensor }) => ({
    tensor,
    gradient: combined.get(targetName(name)) ?? bag.keep(zerosLike(tensor)),
  }));
  const swept = bag.keepAll(tape.sweep(seeds, tape.paths(behind)));
  const found = behind.flatMap(({ name }, index) => {
    const gradient = swept[index] ?? null;
    return gradient === null ? [] : [{ name, gradient, pending: startGramian([gradient]) }];
  });
  for (const { pending } of found) bag.keep(pending.packed);
  const values = await readTogether(found.map(({ pending }) => pending.packed));
  found.forEach(({ name, pending }, index) => {
    if (finishGramian(pending, values[index]!).nonFinite.length === 0) return;
    const group = state.groups.find((candidate) => candidate.variables.includes(name));
    throw nonFiniteGradient(null, group?.key ?? '', name, state.step);
  });
  return new Map(found.map(({ name, gradient }) => [name, gradient]));
}
