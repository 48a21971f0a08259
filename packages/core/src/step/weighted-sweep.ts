import type { Tensor } from '@tensorflow/tfjs-core';
import { consultStrategy } from '../contract/consult-strategy.ts';
import type { Json } from '../base/json.ts';
import type { Integration } from '../contract/strategy.ts';
import type { Combination } from '../rows/combination.ts';
import { firstNonFinite, startChecks } from '../rows/finite-checks.ts';
import { fromEach, fromRoot } from '../collective/gradient-exchange.ts';
import { finishGroups, type PendingGroup, startGroup } from './group-gramians.ts';
import { SweptRows, vectorsOf } from './group-vectors.ts';
import { integrationFromJson, integrationToJson } from './integration-json.ts';
import { checkLosses } from '../contract/check-losses.ts';
import { nonFiniteGradient } from '../rows/non-finite.ts';
import { oneScalar, type OneScalar } from './one-scalar.ts';
import { readTogether } from '../tape/read-back.ts';
import { describeGramian, type GroupReport } from './report.ts';
import { tensorsOf } from '../network/run-variables.ts';
import { scatterGradients } from './shared-rows.ts';
import { scalarsOf, sortNumbers, type StepNumbers } from './numbers.ts';
import {
  isConsulted,
  presentGroups,
  type PresentGroup,
  readNumbers,
  seedOf,
  type StepContext,
  type StepOutcome,
} from './step-context.ts';
import type { TapePaths } from '../tape/tape.ts';

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
  const [integration] = await fromFirstRank(context, () => [
    consultStrategy(
      strategy,
      {
        objectives: graph.objectives,
        ...(early === null ? {} : { losses: early.losses }),
        step: state.step,
      },
      state.run,
    ),
  ]);
  const { weights } = integration!;
  const outcome = await sweepOnce(context, { weights, factors: new Map() }, observe, (present) => ({
    ...decided(integration!),
    weights: present.objectives.map((index) => weights[index]!),
  }));
  return { ...outcome, state: { ...state, step: state.step + 1, run: integration!.state } };
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
  const consulted = groups.filter((present) => isConsulted(context, present));
  const decisions = await fromFirstRank(context, () =>
    consulted.map(({ group, names, objectives }) => {
      const losses =
        early === null
          ? {}
          : { losses: Float64Array.from(objectives, (index) => early.losses[index]!) };
      const known = { objectives: names, step: state.step, ...losses };
      return consultStrategy(strategy, known, group.state);
    }),
  );
  const integrations = new Map(
    consulted.map(({ group }, place) => [group.key, decisions[place]!] as const),
  );
  if (decisions.some(({ tensorWeights }) => (tensorWeights?.size ?? 0) > 0)) {
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

/** Decisions, those of the first rank where there are several. */
async function fromFirstRank(
  { agreement }: StepContext,
  decide: () => readonly Integration[],
): Promise<readonly Integration[]> {
  if (agreement === null) return decide();
  const decided = await fromRoot(agreement.exchange, 'decisions', () =>
    decide().map((integration) => integrationToJson(integration, [])),
  );
  return decided.map((json) => integrationFromJson(json, []));
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
  const { tape, graph, state, variables, bag, agreement } = context;
  const { objectives } = tape.value;
  const paths = tape.paths(tensorsOf(variables));
  // An objective of weight 0 takes no part: variables that only it reaches get no update at all.
  const weightOf = (name: string): number => weights[graph.objectives.indexOf(name)] ?? 0;
  const seeds = objectives.flatMap((objective) => {
    const weight = weightOf(objective.name);
    return weight === 0 ? [] : [seedOf(context, objective, weight)];
  });
  const own = bag.keepAll(tape.sweep(seeds, paths));
  const reached = (name: string): boolean =>
    [...graph.reach.get(name)!].some((objective) => weightOf(objective) !== 0);
  const swept =
    agreement === null ? own : await scatterGradients(agreement, variables, own, reached, bag);
  const checks = startChecks(variables, swept, bag);
  const observed = observe ? await observeGroups(context) : [];

  const scalars = agreement === null ? scalarsOf(objectives) : [];
  const packed = observed.flatMap(({ tensors }) => tensors.map((tensor) => tensor.pending.packed));
  const values = await readTogether([...scalars, ...checks.packed, ...packed]);
  const numbers: StepNumbers =
    agreement?.batches[0]!.numbers ?? sortNumbers(objectives, values.splice(0, scalars.length));
  checkLosses(graph.objectives, numbers.losses, state.step);
  const exchange = agreement?.exchange ?? null;
  const checked = values.splice(0, checks.packed.length);
  const broken = await firstNonFinite(variables, checks, checked, exchange);
  if (broken !== null) throw await blame(context, paths, broken);

  const gramians = await finishGroups(observed, values, state.step, exchange);
  const measured = new Map(
    observed.map(({ vectors }, index) => [
      vectors.present.group.key,
      describeGramian(gramians[index]!.gramian),
    ]),
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

async function observeGroups(context: StepContext): Promise<PendingGroup[]> {
  const targets = context.variables.map(({ name, variable }) => ({ name, tensor: variable }));
  const swept = await SweptRows.sweep(context, targets);
  return presentGroups(context).map((present) =>
    startGroup(vectorsOf(context, present, swept, false), context.bag),
  );
}

/** The error for a gradient that is not finite, with the objective that is to blame, on whichever rank. */
async function blame(context: StepContext, paths: TapePaths, variable: string): Promise<Error> {
  const { agreement, state } = context;
  const own = async (): Promise<Culprit | null> => findCulprit(context, paths);
  const found =
    agreement === null
      ? [await own()]
      : await fromEach(agreement.exchange, 'culprits', async () => (await own()) as Json);
  const culprit = (found as readonly (Culprit | null)[]).find((one) => one !== null) ?? null;
  const place = culprit?.place ?? context.variables.findIndex(({ name }) => name === variable);
  const { name } = context.variables[place]!;
  const group = state.groups.find(({ variables }) => variables.includes(name))?.key ?? '';
  return nonFiniteGradient(culprit?.objective ?? null, group, name, state.step);
}

/** An objective whose gradient for a variable, known by its place, is not finite. */
type Culprit = { readonly objective: string; readonly place: number };

/** Sweeps objective by objective on the live tape to name the one whose gradient is not finite on this rank. */
async function findCulprit(context: StepContext, paths: TapePaths): Promise<Culprit | null> {
  const { tape, variables, bag } = context;
  for (const objective of tape.value.objectives) {
    const swept = bag.keepAll(tape.sweep([seedOf(context, objective)], paths));
    const checks = startChecks(variables, swept, bag);
    const values = await readTogether(checks.packed);
    const broken = await firstNonFinite(variables, checks, values, null);
    if (broken === null) continue;
    const place = variables.findIndex(({ name }) => name === broken);
    return { objective: objective.name, place };
  }
  return null;
}
