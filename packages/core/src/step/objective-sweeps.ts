import { mul, tidy, zerosLike } from '@tensorflow/tfjs-core';
import { consultStrategy, isStacked } from '../contract/consult-strategy.ts';
import { MultigradError } from '../base/errors.ts';
import type { Json } from '../base/json.ts';
import type { CombineRows } from '../contract/row-algebra.ts';
import type { Integration, MemoryUpdate } from '../contract/strategy.ts';
import { type Combination, materialise } from '../rows/combination.ts';
import type { RememberedTensor } from '../rows/gradient-memory.ts';
import { firstNonFinite, startChecks } from '../rows/finite-checks.ts';
import { fromRoot } from '../collective/gradient-exchange.ts';
import { finishGroups, type GroupGramians, startGroup } from './group-gramians.ts';
import {
  type GroupVectors,
  SweptRows,
  targetName,
  targetsOf,
  type TensorVectors,
  vectorsOf,
} from './group-vectors.ts';
import { integrationFromJson, integrationToJson } from './integration-json.ts';
import { checkLosses } from '../contract/check-losses.ts';
import { nonFiniteGradient } from '../rows/non-finite.ts';
import { readTogether } from '../tape/read-back.ts';
import { describeGramian, type GroupReport } from './report.ts';
import { checkWeights, combineRows } from '../rows/row-kernels.ts';
import { tensorsOf } from '../network/run-variables.ts';
import { scatterGradients } from './shared-rows.ts';
import { meanNumbers, scalarsOf, sortNumbers, type StepNumbers } from './numbers.ts';
import { isConsulted, presentGroups, type StepContext, type StepOutcome } from './step-context.ts';
import { tensorRows } from '../rows/tensor-rows.ts';

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
  const { tape, furtherTapes, graph, state, strategy, bag, agreement } = context;
  const swept = await SweptRows.sweep(context, targetsOf(context));
  const pending = presentGroups(context).map((present) => {
    const withMemory = strategy.needs.memory === true && isConsulted(context, present);
    return startGroup(vectorsOf(context, present, swept, withMemory), bag);
  });
  const batches = [tape, ...furtherTapes].map(({ value }) => value.objectives);
  const scalars = agreement === null ? batches.map(scalarsOf) : [];
  const packed = pending.flatMap(({ tensors }) => tensors.map((tensor) => tensor.pending.packed));
  const values = await readTogether([...scalars.flat(), ...packed]);

  const numbers =
    agreement?.batches.map((batch) => batch.numbers) ??
    batches.map((objectives, batch) =>
      sortNumbers(objectives, values.splice(0, scalars[batch]!.length)),
    );
  for (const { losses } of numbers) checkLosses(graph.objectives, losses, state.step);
  const exchange = agreement?.exchange ?? null;
  const gramians = await finishGroups(pending, values, state.step, exchange);
  const global =
    strategy.needs.gradients === 'none' ? await consultOnce(context, numbers[0]!) : null;
  const integrations =
    global === null
      ? await consultAll(
          context,
          pending.map(({ vectors }, place) => ({ vectors, gramians: gramians[place]! })),
          numbers[0]!,
        )
      : [];
  const decisions = pending.map(({ vectors }, place) =>
    global === null
      ? decide(vectors, gramians[place]!, integrations[place]!)
      : follow(vectors, gramians[place]!, global),
  );

  const combined = new Map<string, Combination | null>();
  for (const decision of decisions) {
    for (const vectors of decision.vectors.tensors) {
      combined.set(vectors.tensor, combine(context, vectors, decision));
    }
  }
  if (strategy.needs.gradients === 'rows') await checkCombined(context, combined);
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
    sweeps:
      batches.reduce((sum, objectives) => sum + objectives.length, 0) +
      (graph.features.length > 0 ? 1 : 0),
    observed: false,
  };
}

/** The decision of a strategy that sees no gradients: one for the whole run. */
async function consultOnce(
  { agreement, graph, state, strategy }: StepContext,
  { losses }: StepNumbers,
): Promise<Integration> {
  const known = { objectives: graph.objectives, losses, step: state.step };
  const ask = (): Integration => consultStrategy(strategy, known, state.run);
  if (agreement === null) return ask();
  const decided = await fromRoot(agreement.exchange, 'decisions', () =>
    integrationToJson(ask(), []),
  );
  return integrationFromJson(decided, []);
}

/** What is known of a group. */
interface Known {
  readonly vectors: GroupVectors;
  readonly gramians: GroupGramians;
}

/**
 * The strategy's decisions; null for groups that keep their plain gradient. Among several ranks they are those of the first
 * one, but for functions that combine rows: those come from the same numbers on every rank.
 */
async function consultAll(
  context: StepContext,
  groups: readonly Known[],
  numbers: StepNumbers,
): Promise<readonly (Integration | null)[]> {
  const { agreement, strategy } = context;
  const ask = (group: Known): Integration | null => consult(context, group, numbers);
  if (agreement === null) return groups.map(ask);
  const tensorsOf = ({ vectors }: Known): string[] => vectors.tensors.map(({ tensor }) => tensor);
  const decided = await fromRoot<(Json | null)[]>(agreement.exchange, 'decisions', () =>
    groups.map((group) => {
      const integration = ask(group);
      return integration === null ? null : integrationToJson(integration, tensorsOf(group));
    }),
  );
  return groups.map((group, place) => {
    const json = decided[place] ?? null;
    if (json === null) return null;
    const integration = integrationFromJson(json, tensorsOf(group));
    if (strategy.needs.gradients !== 'rows') return integration;
    return { ...integration, combine: ask(group)!.combine! };
  });
}

function consult(
  context: StepContext,
  { vectors: { present }, gramians: { gramian, tensorGramians, stacked } }: Known,
  numbers: StepNumbers,
): Integration | null {
  const { group, names, objectives } = present;
  const { strategy } = context;
  if (!isConsulted(context, present)) return null;
  return consultStrategy(
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
}

function decide(
  vectors: GroupVectors,
  { gramian }: GroupGramians,
  integration: Integration | null,
): Decision {
  const { present, count } = vectors;
  const { group, names } = present;
  const measured = { key: group.key, objectives: names, ...describeGramian(gramian) };
  if (integration === null) {
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
  { bag, agreement, variables, lossScale }: StepContext,
  { tensor, rows }: TensorVectors,
  decision: Decision,
): Combination | null {
  const reaching = [...rows.keys()].filter((k) => rows[k] !== null);
  const [only] = reaching;
  if (only === undefined) return null;
  const some = rows[only]!;
  if (decision.combine !== undefined && some.size > 0) {
    const { combine: byCoordinate } = decision;
    const own = variables.find(({ name }) => name === tensor);
    const whole = own?.variable.size ?? some.size;
    const slice =
      agreement === null
        ? null
        : { rank: agreement.exchange.rank, size: agreement.exchange.size, whole };
    const update = tidy(() => {
      const filled = rows.map((row) => {
        if (row === null) return zerosLike(some);
        return lossScale === 1 ? row : mul(row, 1 / lossScale);
      });
      // A copy where the strategy hands a gradient on: the result is the bag's.
      return byCoordinate(filled, tensorRows(own?.stream ?? tensor, some.shape, slice)).clone();
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

/** @throws MultigradError `non-finite` where a strategy that combines rows returned NaN or an infinity, on any rank */
async function checkCombined(
  { agreement, bag, state, strategy }: StepContext,
  combined: ReadonlyMap<string, Combination | null>,
): Promise<void> {
  const tensors = Array.from(combined.keys(), (name) => ({ name }));
  // What was not combined by coordinate has rows that are known to be finite.
  const updates = Array.from(combined.values(), (combination) => combination?.rows[0] ?? null);
  const checks = startChecks(tensors, updates, bag);
  const values = await readTogether(checks.packed);
  const broken = await firstNonFinite(tensors, checks, values, agreement?.exchange ?? null);
  if (broken === null) return;
  throw new MultigradError(
    'non-finite',
    `Strategy \`${strategy.name}\` should combine rows into finite numbers. Found NaN or infinity in its \`combine\` for \`${broken}\` at step ${state.step}.`,
  );
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
  { tape, graph, variables, state, bag, agreement, lossScale }: StepContext,
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
  const own = bag.keepAll(tape.sweep(seeds, tape.paths(tensorsOf(behind))));
  const reached = (name: string): boolean => graph.reach.get(name)!.size > 0;
  const swept =
    agreement === null ? own : await scatterGradients(agreement, behind, own, reached, bag);
  const checks = startChecks(behind, swept, bag);
  const values = await readTogether(checks.packed);
  const broken = await firstNonFinite(behind, checks, values, agreement?.exchange ?? null);
  if (broken !== null) {
    const group = state.groups.find((candidate) => candidate.variables.includes(broken));
    throw nonFiniteGradient(null, group?.key ?? '', broken, state.step);
  }
  return new Map(
    behind.flatMap(({ name }, index) => {
      const gradient = swept[index] ?? null;
      return gradient === null
        ? []
        : [[name, { rows: [gradient], weights: [1 / lossScale] }] as const];
    }),
  );
}

function scaled({ rows, weights }: Combination, factor: number): Combination {
  return { rows, weights: weights.map((weight) => weight * factor) };
}
