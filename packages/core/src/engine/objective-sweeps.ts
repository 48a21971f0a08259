import { mul, tidy, zerosLike } from '@tensorflow/tfjs-core';
import { consultStrategy, isStacked } from '../strategy/consult-strategy.ts';
import type { Json } from '../strategy/json.ts';
import type { CombineRows } from '../strategy/row-algebra.ts';
import type { Integration, MemoryUpdate } from '../strategy/strategy.ts';
import { type Combination, materialise } from '../optimizers/combination.ts';
import type { RememberedTensor } from './gradient-memory.ts';
import { finishGroup, type GroupGramians, startGroup } from './group-gramians.ts';
import {
  type GroupVectors,
  SweptRows,
  targetName,
  targetsOf,
  type TensorVectors,
  vectorsOf,
} from './group-vectors.ts';
import { checkLosses, nonFiniteGradient } from './non-finite.ts';
import { readTogether } from './read-back.ts';
import { describeGramian, type GroupReport } from './report.ts';
import { checkWeights, combineRows, finishGramian, startGramian } from './row-kernels.ts';
import {
  isConsulted,
  meanNumbers,
  presentGroups,
  scalarsOf,
  sortNumbers,
  type StepContext,
  type StepNumbers,
  type StepOutcome,
} from './step-context.ts';
import { tensorRows } from './tensor-rows.ts';

/** What is to become of one group at this step. */
interface Decision {
  readonly vectors: GroupVectors;
  /** A weight for each of the group's vectors, of one tensor. */
  readonly weightsOf: (tensor: string) => Float64Array;
  readonly combine: CombineRows | undefined;
  readonly memory: MemoryUpdate | undefined;
  readonly state: Json;
  readonly report: GroupReport;
}

/**
 * The plan for strategies that look at gradients, and for the others where each objective's gradient is clipped: one sweep for each objective present (and each batch), one read-back,
 * then the weighted combination. At the level of features the sweeps end at the cut tensors, and one more carries the
 * combined gradients on to the variables behind them.
 */
export async function objectiveSweeps(context: StepContext): Promise<StepOutcome> {
  const { tape, furtherTapes, graph, state, strategy, bag } = context;
  const swept = new SweptRows(context, targetsOf(context));
  const pending = presentGroups(context).map((present) => {
    const withMemory = strategy.needs.memory === true && isConsulted(context, present);
    return startGroup(vectorsOf(context, present, swept, withMemory), bag);
  });
  const batches = [tape, ...furtherTapes].map(({ value }) => value.objectives);
  const scalars = batches.map(scalarsOf);
  const packed = pending.flatMap(({ tensors }) => tensors.map((tensor) => tensor.pending.packed));
  const values = await readTogether([...scalars.flat(), ...packed]);

  const numbers = batches.map((objectives, batch) => {
    const own = sortNumbers(objectives, values.splice(0, scalars[batch]!.length));
    checkLosses(graph.objectives, own.losses, state.step);
    return own;
  });
  const known = {
    objectives: graph.objectives,
    losses: numbers[0]!.losses,
    step: state.step,
  };
  const global =
    strategy.needs.gradients === 'none' ? consultStrategy(strategy, known, state.run) : null;
  const decisions = pending.map((group) => {
    const gramians = finishGroup(group, values.splice(0, group.tensors.length), state.step);
    return global === null
      ? decide(context, group.vectors, gramians, numbers[0]!)
      : follow(group.vectors, gramians, global);
  });

  const combined = new Map<string, Combination | null>();
  for (const decision of decisions) {
    for (const vectors of decision.vectors.tensors) {
      combined.set(vectors.tensor, combine(context, vectors, decision));
    }
  }
  const trunk = await sweepTrunk(context, combined);
  const remembered = decisions.flatMap((decision) => remember(context, decision));
  const memory =
    strategy.needs.memory === true ? context.memory!.with(give(context, remembered)) : null;
  const combinations = new Map(
    context.variables.map(({ name }) => [name, combined.get(name) ?? trunk.get(name) ?? null]),
  );
  const states = new Map(
    decisions.map(({ vectors, state: next }) => [vectors.present.group.key, next]),
  );
  return {
    combinations,
    numbers: meanNumbers(numbers),
    groups: decisions.map(({ report }) => report),
    state: {
      ...state,
      step: state.step + 1,
      run: global === null ? state.run : global.state,
      groups: state.groups.map((group) => ({
        ...group,
        state: states.get(group.key) ?? group.state,
      })),
    },
    memory,
    sweeps: graph.objectives.length * batches.length + (graph.features.length > 0 ? 1 : 0),
    observed: false,
  };
}

function decide(
  context: StepContext,
  vectors: GroupVectors,
  { gramian, tensorGramians, stacked }: GroupGramians,
  numbers: StepNumbers,
): Decision {
  const { present, count } = vectors;
  const { group, names, objectives } = present;
  const measured = { key: group.key, objectives: names, ...describeGramian(gramian) };
  if (!isConsulted(context, present)) {
    // The mean over the batches.
    const weights = new Float64Array(count).fill(names.length / count);
    return {
      vectors,
      weightsOf: () => weights,
      combine: undefined,
      memory: undefined,
      state: group.state,
      report: { ...measured, weights: [1] },
    };
  }
  const { strategy } = context;
  const integration = consultStrategy(
    strategy,
    {
      objectives: names,
      gramian,
      tensorGramians,
      ...(isStacked(strategy.needs) ? { stacked } : {}),
      losses: Float64Array.from(objectives, (index) => numbers.losses[index]!),
      step: context.state.step,
    },
    group.state,
  );
  const { weights, tensorWeights, state, note, diagnostics } = integration;
  const all = stackedWeights(integration);
  return {
    vectors,
    weightsOf: (tensor) => tensorWeights?.get(tensor) ?? all,
    combine: integration.combine,
    memory: integration.memory,
    state,
    report: {
      ...measured,
      weights: [...weights],
      ...(note === undefined ? {} : { note }),
      ...(diagnostics === undefined ? {} : { diagnostics }),
    },
  };
}

/** What weights of the whole run mean for one group: those of strategies that see no gradients. */
function follow(
  vectors: GroupVectors,
  { gramian }: GroupGramians,
  { weights: all, note, diagnostics }: Integration,
): Decision {
  const { group, names, objectives } = vectors.present;
  const weights = Float64Array.from(objectives, (index) => all[index]!);
  // An objective of weight 0 takes no part: variables that only it reaches get no update at all.
  const tensors = vectors.tensors.map(({ tensor, rows }) => ({
    tensor,
    rows: rows.map((row, k) => (weights[k] === 0 ? null : row)),
  }));
  return {
    vectors: { ...vectors, tensors },
    weightsOf: () => weights,
    combine: undefined,
    memory: undefined,
    state: group.state,
    report: {
      key: group.key,
      objectives: names,
      ...describeGramian(gramian),
      weights: [...weights],
      ...(note === undefined ? {} : { note }),
      ...(diagnostics === undefined ? {} : { diagnostics }),
    },
  };
}

/** The weights of all vectors, in their order. */
function stackedWeights({ weights, batchWeights = [], memory }: Integration): Float64Array {
  if (batchWeights.length === 0 && memory === undefined) return weights;
  const parts = [weights, ...batchWeights, ...(memory === undefined ? [] : [memory.weights])];
  return Float64Array.from(parts.flatMap((part) => [...part]));
}

/** The update of one tensor; null where no vector reaches it. */
function combine(
  { bag, lossScale }: StepContext,
  { tensor, rows }: TensorVectors,
  decision: Decision,
): Combination | null {
  const reaching = [...rows.keys()].filter((k) => rows[k] !== null);
  const [only] = reaching;
  if (only === undefined) return null;
  const some = rows[only]!;
  if (decision.combine !== undefined) {
    const { combine: byCoordinate } = decision;
    const update = tidy(() => {
      const filled = rows.map((row) => {
        if (row === null) return zerosLike(some);
        return lossScale === 1 ? row : mul(row, 1 / lossScale);
      });
      // A copy where the strategy hands a gradient on: the result is the bag's.
      return byCoordinate(filled, tensorRows(tensor, some.shape)).clone();
    });
    return { rows: [bag.keep(update)], weights: [1] };
  }
  const weights = decision.weightsOf(tensor);
  checkWeights(weights);
  const { scales } = decision.vectors;
  return {
    rows: reaching.map((k) => rows[k]!),
    weights: reaching.map((k) => weights[k]! / scales[k]!),
  };
}

/** The remembered vectors of a group after this step. */
function remember(
  { bag, memory, lossScale }: StepContext,
  { vectors, memory: update }: Decision,
): RememberedTensor[] {
  if (update === undefined) return [];
  const { names } = vectors.present;
  return vectors.tensors.flatMap(({ tensor, rows }) =>
    names.flatMap((objective, k) => {
      const value = combineRows(
        [memory?.get(tensor, objective) ?? null, rows[k]!],
        Float64Array.of(update.keep[k]!, update.add[k]! / lossScale),
      );
      return value === null ? [] : [{ variable: tensor, objective, value: bag.keep(value) }];
    }),
  );
}

function give(
  { bag }: StepContext,
  remembered: readonly RememberedTensor[],
): readonly RememberedTensor[] {
  for (const { value } of remembered) bag.give(value);
  return remembered;
}

/** One sweep from all cut tensors at once to the variables behind them; they do not reach each other. */
async function sweepTrunk(
  { tape, graph, variables, state, lossScale, bag }: StepContext,
  combined: ReadonlyMap<string, Combination | null>,
): Promise<ReadonlyMap<string, Combination>> {
  if (graph.features.length === 0) return new Map();
  const behind = variables.filter(({ name }) =>
    graph.features.some((feature) => feature.variables.has(name)),
  );
  const seeds = graph.features.map(({ name, tensor }) => {
    const combination = combined.get(targetName(name)) ?? null;
    const gradient =
      combination === null ? zerosLike(tensor) : materialise(scaled(combination, lossScale));
    return { tensor, gradient: bag.keep(gradient) };
  });
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
  return new Map(
    found.map(({ name, gradient }) => [name, { rows: [gradient], weights: [1 / lossScale] }]),
  );
}

function scaled({ rows, weights }: Combination, factor: number): Combination {
  return { rows, weights: weights.map((weight) => weight * factor) };
}
