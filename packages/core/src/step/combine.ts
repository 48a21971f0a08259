import { mul, Tensor, tidy, zerosLike } from '@tensorflow/tfjs-core';
import { describeValue } from '../base/describe-value.ts';
import { MultigradError } from '../base/errors.ts';
import type { Json } from '../base/json.ts';
import { runStrategy } from '../contract/read-answer.ts';
import type { CombineRows } from '../contract/row-algebra.ts';
import type { Integration, MemoryUpdate } from '../contract/strategy.ts';
import type { IntegrationState } from '../network/integration-state.ts';
import { type Combination, type Combinations, materialise } from '../rows/combination.ts';
import { gradientOf } from '../rows/dense-products.ts';
import { firstNonFinite, startChecks } from '../rows/finite-checks.ts';
import type { GradientMemory, MemoryTensor } from '../rows/gradient-memory.ts';
import { checkWeights, combineRows } from '../rows/combination.ts';
import { tensorRows } from '../rows/tensor-rows.ts';
import { readTogether } from '../tape/read-back.ts';
import type { Answers } from './ask.ts';
import type { Facts, GroupGramians } from './measure.ts';
import type { OneScalar } from './one-scalar.ts';
import { describeGramian, type GroupReport } from './report.ts';
import type { PresentGroup, StepContext } from './step-context.ts';
import { backwardTrunk } from './backward-trunk.ts';
import { type GroupVectors, type Rows, type TensorVectors } from './backward.ts';

/** A step's result: gradients as rows and weights, reports, and the next state. */
export interface Combined {
  /**
   * The gradients by variable name, not added up yet; null where nothing reached the variable. The bag of the step owns the
   * rows.
   */
  readonly combinations: Combinations;
  readonly groups: readonly GroupReport[];
  readonly state: IntegrationState;
  /** The memory after this step, which the caller owns; null where the strategy has none. */
  readonly memory: GradientMemory | null;
  /** Backward passes that combining made: one where there are features. */
  readonly backwardPasses: number;
}

/** Combines where one backward pass from one scalar loss was enough. */
export function combineWhole(
  { state, variables, lossScale }: StepContext,
  groups: readonly PresentGroup[],
  { factors }: OneScalar,
  { whole, groups: observed }: Rows,
  { gramians }: Facts,
  answers: Answers,
): Combined {
  const factorOf = new Map(
    state.groups.flatMap((group) =>
      group.variables.map((name) => [name, factors.get(group.key) ?? 1] as const),
    ),
  );
  const combinations = variables.map(({ name }, index): [string, Combination | null] => {
    const gradient = whole![index] ?? null;
    if (gradient === null) return [name, null];
    return [name, { rows: [gradient], weights: [(factorOf.get(name) ?? 1) / lossScale] }];
  });
  const measured = new Map(
    observed.map(({ present }, place) => [
      present.group.key,
      describeGramian(gramians[place]!.gramian),
    ]),
  );
  return {
    combinations: new Map(combinations),
    groups: groups.map((present) => ({
      ...{ key: present.group.key, objectives: present.names },
      ...(measured.get(present.group.key) ?? { norms: null, cosines: null, conflict: null }),
      ...wordsOf(answers.run ?? answers.byGroup.get(present.group.key)),
      weights: [...weightsIn(answers, present)],
    })),
    state: nextState(state, answers),
    memory: null,
    backwardPasses: 0,
  };
}

/** Combines where each objective had its own backward pass. */
export async function combineRowsOf(
  context: StepContext,
  { gramians, vectors: groups }: Facts,
  answers: Answers,
): Promise<Combined> {
  const { variables, state, strategy, passes } = context;
  const decisions = groups.map((vectors, place) => decide(vectors, gramians[place]!, answers));
  const combined = new Map<string, Combination | null>();
  for (const decision of decisions) {
    for (const vectors of decision.vectors.tensors) {
      combined.set(vectors.tensor, combine(context, vectors, decision));
    }
  }
  if (strategy.needs.gradients === 'rows') await checkCombined(context, combined);
  const trunk = await backwardTrunk(context, combined);
  const updates = decisions.flatMap((decision) => updatedMemory(context, decision));
  const memory =
    strategy.needs.memory !== undefined ? context.memory!.with(give(context, updates)) : null;
  return {
    combinations: new Map(
      variables.map(({ name }) => [name, combined.get(name) ?? trunk.get(name) ?? null]),
    ),
    groups: decisions.map(({ report }) => report),
    state: nextState(state, answers),
    memory,
    backwardPasses: passes[0].graph.features.length > 0 ? 1 : 0,
  };
}

/** How one group is combined at this step. */
interface Decision {
  readonly vectors: GroupVectors;
  /** The weight of each of the group's vectors, for one tensor. */
  readonly weightsOf: (tensor: string) => Float64Array;
  readonly combine: CombineRows | undefined;
  readonly memoryUpdate: MemoryUpdate | undefined;
  readonly report: GroupReport;
}

function decide(vectors: GroupVectors, { gramian }: GroupGramians, answers: Answers): Decision {
  const { present, count } = vectors;
  const { group, names } = present;
  const measured = { key: group.key, objectives: names, ...describeGramian(gramian) };
  if (answers.run !== null) return follow(vectors, measured, answers);
  const answer = answers.byGroup.get(group.key);
  if (answer === undefined) {
    // One objective keeps its plain gradient: the mean over the batches.
    const weights = new Float64Array(count).fill(names.length / count);
    return {
      vectors,
      weightsOf: () => weights,
      combine: undefined,
      memoryUpdate: undefined,
      report: { ...measured, weights: [1] },
    };
  }
  const { weights, tensorWeights } = answer;
  const all = stackedWeights(answer);
  return {
    // Gradients divided by the roots of squares were measured, and take no part.
    vectors: vectors.tensors.some(({ squares }) => squares !== undefined)
      ? onlyFirst(vectors, all.length)
      : vectors,
    weightsOf: (tensor) => tensorWeights?.get(tensor) ?? all,
    combine: answer.combine,
    memoryUpdate: answer.memoryUpdate,
    report: { ...measured, weights: [...weights], ...wordsOf(answer) },
  };
}

/** The first vectors of a group, without the rest. */
function onlyFirst(vectors: GroupVectors, count: number): GroupVectors {
  return {
    ...vectors,
    count,
    tensors: vectors.tensors.map((own) => ({ ...own, rows: own.rows.slice(0, count) })),
  };
}

/** How one group is combined by weights of the whole run, which strategies that see no gradients return. */
function follow(
  vectors: GroupVectors,
  measured: Omit<GroupReport, 'weights'>,
  answers: Answers,
): Decision {
  const weights = weightsIn(answers, vectors.present);
  // An objective of weight 0 takes no part: variables that only it reaches get no update at all.
  const tensors = vectors.tensors.map((own) => ({
    ...own,
    rows: own.rows.map((row, k) => (weights[k] === 0 ? null : row)),
  }));
  return {
    vectors: { ...vectors, tensors },
    weightsOf: () => weights,
    combine: undefined,
    memoryUpdate: undefined,
    report: { ...measured, weights: [...weights], ...wordsOf(answers.run) },
  };
}

/** The weights of a group's objectives: the run's, the group's, or 1 for a lone objective. */
function weightsIn({ run, byGroup }: Answers, { group, objectives }: PresentGroup): Float64Array {
  if (run !== null) return Float64Array.from(objectives, (index) => run.weights[index]!);
  return byGroup.get(group.key)?.weights ?? Float64Array.of(1);
}

/** The note and the diagnostics of an answer, for reports. */
export function wordsOf(
  answer: Integration | null | undefined,
): Pick<GroupReport, 'note' | 'diagnostics'> {
  const { note, diagnostics } = answer ?? {};
  return {
    ...(note === undefined ? {} : { note }),
    ...(diagnostics === undefined ? {} : { diagnostics }),
  };
}

/** The state for the next step. */
export function nextState(state: IntegrationState, { run, byGroup }: Answers): IntegrationState {
  const stateOf = (key: string, before: Json): Json => byGroup.get(key)?.state ?? before;
  return {
    ...state,
    step: state.step + 1,
    run: run === null ? state.run : run.state,
    groups: state.groups.map((group) => ({ ...group, state: stateOf(group.key, group.state) })),
  };
}

/** The weights of all vectors: of the first batch, further batches, then the memory. */
function stackedWeights({ weights, batchWeights = [], memoryUpdate }: Integration): Float64Array {
  if (batchWeights.length === 0 && memoryUpdate === undefined) return weights;
  const parts = [
    weights,
    ...batchWeights,
    ...(memoryUpdate === undefined ? [] : [memoryUpdate.weights]),
  ];
  return Float64Array.from(parts.flatMap((part) => [...part]));
}

/** The update of one tensor; null where no vector reaches it. */
function combine(
  { bag, collective, strategy, variables, lossScale }: StepContext,
  { tensor, rows, factor }: TensorVectors,
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
    const place = { whole, ...collective.sliceOf(whole) };
    const update = tidy(() => {
      const filled = rows.map((row) => {
        if (row === null) return zerosLike(some);
        return lossScale === 1 ? row : mul(row, 1 / lossScale);
      });
      const algebra = tensorRows(own?.stream ?? tensor, some.shape, place);
      const combined: unknown = runStrategy(strategy.name, 'combine', () =>
        byCoordinate(filled, algebra),
      );
      assertCombined(combined, strategy.name, tensor, some.shape);
      // A clone, in case the strategy returns one of its inputs: the bag will own the result.
      return combined.clone();
    });
    return { rows: [bag.keep(update)], weights: [1] };
  }
  const weights = decision.weightsOf(tensor);
  checkWeights(weights);
  const { scales } = decision.vectors;
  const combination = {
    rows: reaching.map((k) => rows[k]!),
    weights: reaching.map((k) => weights[k]! / scales[k]!),
  };
  if (factor === undefined) return combination;
  const sum = bag.keep(materialise(combination));
  return { rows: [bag.keep(gradientOf(factor, sum))], weights: [1] };
}

/** Checks what a strategy's `combine` returned. @throws MultigradError `incompatible-strategy` */
function assertCombined(
  value: unknown,
  strategy: string,
  tensor: string,
  shape: readonly number[],
): asserts value is Tensor {
  const made = value instanceof Tensor ? (value as Tensor) : null;
  const fits = made?.shape.join() === shape.join() && made.dtype === 'float32';
  if (fits && !made.isDisposed) return;
  const found =
    made === null
      ? describeValue(value)
      : made.isDisposed
        ? 'a disposed tensor'
        : `one of shape [${made.shape.join(', ')}], ${made.dtype}`;
  throw new MultigradError(
    'incompatible-strategy',
    `Strategy \`${strategy}\` should return a float32 tensor of shape [${shape.join(', ')}] from \`combine\` for \`${tensor}\`. Found ${found}.`,
  );
}

/** Checks that combined rows are finite on every rank. @throws MultigradError `non-finite` */
async function checkCombined(
  { collective, bag, state, strategy }: StepContext,
  combined: Combinations,
): Promise<void> {
  const tensors = Array.from(combined.keys(), (name) => ({ name }));
  // Rows of gradients were checked before; only combined ones are new.
  const updates = Array.from(combined.values(), (combination) => combination?.rows[0] ?? null);
  const checks = startChecks(tensors, updates, bag);
  const values = await readTogether(checks.packed);
  const broken = await firstNonFinite(tensors, checks, values, (flags) => collective.sum(flags));
  if (broken === null) return;
  throw new MultigradError(
    'non-finite',
    `Strategy \`${strategy.name}\` should combine rows into finite numbers. Found NaN or infinity in its \`combine\` for \`${broken}\` at step ${state.step}.`,
  );
}

/** The memory of a group after this step. */
function updatedMemory(
  { bag, memory, lossScale }: StepContext,
  { vectors, memoryUpdate: update }: Decision,
): MemoryTensor[] {
  const { names } = vectors.present;
  return vectors.tensors.flatMap(({ tensor, rows, squares }) =>
    names.flatMap((objective, k) => {
      const added = squares?.[k] ?? null;
      if (added !== null) return [{ variable: tensor, objective, value: added }];
      if (update === undefined) return [];
      const value = combineRows(
        [memory?.get(tensor, objective) ?? null, rows[k]!],
        Float64Array.of(update.keep[k]!, update.add[k]! / lossScale),
      );
      return value === null ? [] : [{ variable: tensor, objective, value: bag.keep(value) }];
    }),
  );
}

function give({ bag }: StepContext, tensors: readonly MemoryTensor[]): readonly MemoryTensor[] {
  for (const { value } of tensors) bag.give(value);
  return tensors;
}
