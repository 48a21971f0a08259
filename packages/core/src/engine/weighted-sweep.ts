import type { Tensor } from '@tensorflow/tfjs-core';
import { consultStrategy } from '../strategy/consult-strategy.ts';
import { finishGroup, type PendingGroup, startGroup } from './group-gramians.ts';
import { SweptRows, vectorsOf } from './group-vectors.ts';
import { checkLosses, nonFiniteGradient } from './non-finite.ts';
import { readTogether } from './read-back.ts';
import { describeGramian, type GroupReport } from './report.ts';
import { finishGramian, type PendingGramian, startGramian } from './row-kernels.ts';
import {
  presentGroups,
  readNumbers,
  scalarsOf,
  seedOf,
  sortNumbers,
  type StepContext,
  type StepOutcome,
} from './step-context.ts';
import type { TapePaths } from './tape.ts';

/**
 * The plan for strategies that see no gradients: their weights are known beforehand, so one sweep of the weighted sum
 * gives the whole update, at the cost of ordinary training. With `observe` each objective is swept once more, for
 * reports alone: the update does not change by a bit.
 */
export async function weightedSweep(context: StepContext, observe: boolean): Promise<StepOutcome> {
  const { tape, graph, state, strategy, variables, bag } = context;
  const { objectives } = tape.value;
  const early =
    strategy.needs.losses?.startsWith('now') === true ? await readNumbers(context) : null;
  const {
    weights,
    state: run,
    note,
    diagnostics,
  } = consultStrategy(
    strategy,
    {
      objectives: graph.objectives,
      ...(early === null ? {} : { losses: early.losses }),
      step: state.step,
    },
    state.run,
  );

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
  const numbers = sortNumbers(objectives, values.splice(0, scalars.length));
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
  const groups = presentGroups(context).map(
    ({ group, names, objectives: indices }): GroupReport => ({
      key: group.key,
      objectives: names,
      ...(measured.get(group.key) ?? { norms: null, cosines: null, conflict: null }),
      weights: indices.map((index) => weights[index]!),
      ...(note === undefined ? {} : { note }),
      ...(diagnostics === undefined ? {} : { diagnostics }),
    }),
  );
  return {
    gradients: new Map(variables.map(({ name }, index) => [name, bag.give(swept[index] ?? null)])),
    numbers,
    groups,
    state: { ...state, step: state.step + 1, run },
    memory: null,
    sweeps: 1 + (observe ? objectives.length : 0),
  };
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
