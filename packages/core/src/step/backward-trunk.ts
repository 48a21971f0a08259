import { zerosLike } from '@tensorflow/tfjs-core';
import {
  type Combination,
  type Combinations,
  materialise,
  scaledCombination,
} from '../rows/combination.ts';
import { firstNonFinite, nonFiniteGradient, startChecks } from '../rows/finite-checks.ts';
import { readTogether } from '../tape/read-back.ts';
import type { StepContext } from './step-context.ts';
import { targetName } from '../network/observe-graph.ts';
import { backwardSummed } from './backward-summed.ts';

/**
 * Makes one backward pass from all features at once to the variables behind them. No feature depends on another, so their
 * gradients do not mix.
 */
export async function backwardTrunk(
  context: StepContext,
  combined: Combinations,
): Promise<ReadonlyMap<string, Combination>> {
  const { passes, variables, state, bag, collective, lossScale } = context;
  const [pass] = passes;
  const { graph } = pass;
  if (graph.features.length === 0) return new Map();
  const behind = variables.filter(({ name }) =>
    graph.features.some((feature) => feature.variables.has(name)),
  );
  const seeds = graph.features.map(({ name, tensor }) => {
    const combination = combined.get(targetName(name)) ?? null;
    const gradient =
      combination === null
        ? zerosLike(tensor)
        : materialise(scaledCombination(combination, lossScale));
    return { tensor, gradient: bag.keep(gradient) };
  });
  const targets = behind.map(({ name, variable }) => ({ name, tensor: variable }));
  const reached = (name: string): boolean => graph.reach.get(name)!.size > 0;
  const [summed] = await backwardSummed(context, pass, targets, [{ seeds, reached }]);
  const sums = summed!;
  const checks = startChecks(behind, sums, bag);
  const values = await readTogether(checks.packed);
  const broken = await firstNonFinite(behind, checks, values, (flags) => collective.sum(flags));
  if (broken !== null) {
    const group = state.groups.find((candidate) => candidate.variables.includes(broken));
    throw nonFiniteGradient(null, group?.key ?? '', broken, state.step);
  }
  return new Map(
    behind.flatMap(({ name }, index) => {
      const gradient = sums[index] ?? null;
      return gradient === null
        ? []
        : [[name, { rows: [gradient], weights: [1 / lossScale] }] as const];
    }),
  );
}
