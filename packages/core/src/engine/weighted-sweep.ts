import type { Tensor } from '@tensorflow/tfjs-core';
import { consultStrategy } from '../strategy/consult-strategy.ts';
import type { Integration } from '../strategy/strategy.ts';
import type { Combination } from '../optimizers/combination.ts';
import { finishGroup, type PendingGroup, startGroup } from './group-gramians.ts';
import { SweptRows, vectorsOf } from './group-vectors.ts';
import { checkLosses, nonFiniteGradient } from './non-finite.ts';
import { oneScalar, type OneScalar } from './one-scalar.ts';
import { readTogether } from './read-back.ts';
import { describeGramian, type GroupReport } from './report.ts';
import { finishGramian, type PendingGramian, startGramian } from './row-kernels.ts';
import {
  isConsulted,
  presentGroups,
  type PresentGroup,
  readNumbers,
  scalarsOf,
  seedOf,
  sortNumbers,
  type StepContext,
  type StepNumbers,
  type StepOutcome,
} from './step-context.ts';
import type { TapePaths } from './tape.ts';

/** What a group's report says beside what was measured. */
type Decided = Pick<GroupReport, 'weights' | 'note' | 'diagnostics'>;

/**
 * The plan for strategies that see no gradients: their weights are known beforehand, so one sweep of the weighted sum
 * gives the whole update, at the cost of ordinary training. With `observe` each objective is swept once more, for
 * reports alone: the update does not change by a bit.
 */
export async function weightedSweep(context: StepContext, observe: boolean): Promise<StepOutcome> {
  const { graph, state, strategy } = context;
  const early =
    strategy.needs.losses?.startsWith('now') === true ? await readNumbers(context) : null;
  const integration = consultStrategy(
    strategy,
    {
      objectives: graph.objectives,
      ...(early === null ? {} : { losses: early.losses }),
      step: state.step,
    },
    state.run,
  );
  const { weights } = integration;
  const outcome = await sweepOnce(context, { weights, factors: new Map() }, observe, (present) => ({
    ...decided(integration),
    weights: present.objectives.map((index) => weights[index]!),
  }));
  return { ...outcome, state: { ...state, step: state.step + 1, run: integration.state } };
}

/**
 * The plan for a step at which a strategy reuses weights that it found before (`needsNow` asks for no gradients): one
 * sweep, where one scalar loss expresses all groups' weights.
 *
 * @returns null where the strategy wants to see gradients, or no scalar loss will do
 */
export async function reusedWeights(
  context: StepContext,
  observe: boolean,
): Promise<StepOutcome | null> {
  const { graph, state, strategy } = context;
  const groups = presentGroups(context);
  const needs = groups
    .filter((present) => isConsulted(context, present))
    .map(({ group }) => strategy.needsNow?.(group.state) ?? strategy.needs);
  if (needs.length === 0 || needs.some(({ gradients }) => gradients !== 'none')) return null;
  const early = needs.some(({ losses }) => losses?.startsWith('now'))
    ? await readNumbers(context)
    : null;
  const integrations = new Map<string, Integration>();
  for (const { group, names, objectives } of groups) {
    if (!isConsulted(context, { names })) continue;
    const losses =
      early === null
        ? {}
        : { losses: Float64Array.from(objectives, (index) => early.losses[index]!) };
    const known = { objectives: names, step: state.step, ...losses };
    integrations.set(group.key, consultStrategy(strategy, known, group.state));
  }
  if ([...integrations.values()].some(({ tensorWeights }) => (tensorWeights?.size ?? 0) > 0)) {
    return null;
  }
  const weightsOf = ({ group }: PresentGroup): Float64Array =>
    integrations.get(group.key)?.weights ?? Float64Array.of(1);
  const scalar = oneScalar(
    groups.map((present) => ({
      key: present.group.key,
      objectives: present.objectives,
      weights: weightsOf(present),
    })),
    graph.objectives.length,
  );
  if (scalar === null) return null;
  const outcome = await sweepOnce(context, scalar, observe, (present) => {
    const integration = integrations.get(present.group.key);
    return {
      ...(integration === undefined ? {} : decided(integration)),
      weights: [...weightsOf(present)],
    };
  });
  return {
    ...outcome,
    state: {
      ...state,
      step: state.step + 1,
      groups: state.groups.map((group) => ({
        ...group,
        state: integrations.get(group.key)?.state ?? group.state,
      })),
    },
  };
}

function decided({ note, diagnostics }: Integration): Omit<Decided, 'weights'> {
  return {
    ...(note === undefined ? {} : { note }),
    ...(diagnostics === undefined ? {} : { diagnostics }),
  };
}

/** Sweeps one scalar loss, scales groups by their factors (1 where there is none), and reads what reports show. */
async function sweepOnce(
  context: StepContext,
  { weights, factors }: OneScalar,
  observe: boolean,
  decidedFor: (present: PresentGroup) => Decided,
): Promise<Omit<StepOutcome, 'state'>> {
  const { tape, graph, state, variables, bag } = context;
  const { objectives } = tape.value;
  const paths = tape.paths(variables);
  // An objective of weight 0 takes no part: variables that only it reaches get no update at all.
  const seeds = objectives.flatMap((objective, k) =>
    weights[k] === 0 ? [] : [seedOf(context, objective, weights[k])],
  );
  const swept = bag.keepAll(tape.sweep(seeds, paths));
  const checks = startChecks(context, swept);
  const observed = observe ? observeGroups(context) : [];

  const scalars = scalarsOf(objectives);
  const packed = observed.flatMap(({ tensors }) => tensors.map((tensor) => tensor.pending.packed));
  const values = await readTogether([
    ...scalars,
    ...checks.map(({ pending }) => pending.packed),
    ...packed,
  ]);
  const numbers: StepNumbers = sortNumbers(objectives, values.splice(0, scalars.length));
  checkLosses(graph.objectives, numbers.losses, state.step);
  const broken = checks.find(
    ({ pending }, index) => finishGramian(pending, values[index]!).nonFinite.length > 0,
  );
  if (broken !== undefined) throw await blame(context, paths, broken.variable);
  values.splice(0, checks.length);

  const measured = new Map(
    observed.map((group) => {
      const { gramian } = finishGroup(group, values.splice(0, group.tensors.length), state.step);
      return [group.vectors.present.group.key, describeGramian(gramian)];
    }),
  );
  const groups = presentGroups(context).map((present): GroupReport => ({
    key: present.group.key,
    objectives: present.names,
    ...(measured.get(present.group.key) ?? { norms: null, cosines: null, conflict: null }),
    ...decidedFor(present),
  }));
  return {
    combinations: combinationsOf(context, swept, factors),
    numbers,
    groups,
    memory: null,
    sweeps: 1 + (observe ? objectives.length : 0),
    observed: observe,
  };
}

/** The gradients, each times the factor of its group. */
function combinationsOf(
  { state, variables, lossScale }: StepContext,
  gradients: readonly (Tensor | null)[],
  factors: OneScalar['factors'],
): Map<string, Combination | null> {
  const factorOf = new Map(
    state.groups.flatMap((group) =>
      group.variables.map((name) => [name, factors.get(group.key) ?? 1] as const),
    ),
  );
  return new Map(
    variables.map(({ name }, index) => {
      const gradient = gradients[index] ?? null;
      if (gradient === null) return [name, null];
      return [name, { rows: [gradient], weights: [(factorOf.get(name) ?? 1) / lossScale] }];
    }),
  );
}

interface FiniteCheck {
  readonly variable: string;
  readonly pending: PendingGramian;
}

function startChecks(
  { variables, bag }: StepContext,
  gradients: readonly (Tensor | null)[],
): FiniteCheck[] {
  return variables.flatMap(({ name }, index) => {
    const gradient = gradients[index] ?? null;
    if (gradient === null) return [];
    const pending = startGramian([gradient]);
    bag.keep(pending.packed);
    return [{ variable: name, pending }];
  });
}

function observeGroups(context: StepContext): PendingGroup[] {
  const targets = context.variables.map((variable) => ({ name: variable.name, tensor: variable }));
  const swept = new SweptRows(context, targets);
  return presentGroups(context).map((present) =>
    startGroup(vectorsOf(context, present, swept, false), context.bag),
  );
}

/** Sweeps objective by objective on the live tape to name the one whose gradient is not finite. */
async function blame(context: StepContext, paths: TapePaths, variable: string): Promise<Error> {
  const { tape, state } = context;
  const groupOf = (name: string): string =>
    state.groups.find(({ variables }) => variables.includes(name))?.key ?? '';
  for (const objective of tape.value.objectives) {
    const swept = context.bag.keepAll(tape.sweep([seedOf(context, objective)], paths));
    const checks = startChecks(context, swept);
    const values = await readTogether(checks.map(({ pending }) => pending.packed));
    const culprit = checks.find(
      ({ pending }, index) => finishGramian(pending, values[index]!).nonFinite.length > 0,
    );
    if (culprit !== undefined) {
      return nonFiniteGradient(
        objective.name,
        groupOf(culprit.variable),
        culprit.variable,
        state.step,
      );
    }
  }
  return nonFiniteGradient(null, groupOf(variable), variable, state.step);
}
