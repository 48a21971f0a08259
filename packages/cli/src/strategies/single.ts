import { type StrategyPlugin, definePlugin } from '@multigrad/core/strategy';
import { sum } from '@multigrad/strategy-sum';

/** The name of the baseline that trains on one objective alone: `only-` and the objective in kebab case. */
export function aloneName(objective: string): string {
  const words = objective
    .toLowerCase()
    .split(/[-_]+/)
    .filter((word) => word !== '');
  return ['only', ...words].join('-');
}

/**
 * A baseline that trains on one of several losses alone: the sum with weight 1 for it and 0 for the others.
 *
 * @param name - what users call it: `joint` for the loss of all modalities, `only-<objective>` for a single task or modality
 * @param objective - the loss that is trained on
 * @param objectives - all losses; the others are only measured
 */
export function singlePlugin(
  name: string,
  objective: string,
  objectives: readonly string[],
): StrategyPlugin {
  const others = objectives.filter((other) => other !== objective);
  const weights = Object.fromEntries([
    [objective, 1],
    ...others.map((other) => [other, 0] as const),
  ]) as Record<string, number>;
  return definePlugin({
    specification: 1,
    name,
    title: `${objective} loss alone`,
    summary: `Baseline: trains on the ${objective} loss alone, the sum with weight 0 for ${others.join(', ')}.`,
    paper: null,
    formula: `u = g_${objective}`,
    options: {},
    create: () => ({ ...sum({ weights }), name }),
  });
}
