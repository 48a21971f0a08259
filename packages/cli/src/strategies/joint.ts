import { type StrategyPlugin, definePlugin } from '@multigrad/core/strategy';
import { sum } from '@multigrad/strategy-sum';

/**
 * The baseline that trains on one of several losses alone: the sum with weight 1 for it and 0 for the others.
 *
 * @param objective - the loss that is trained on
 * @param others - the losses that are only measured
 */
export function jointPlugin(objective: string, others: readonly string[]): StrategyPlugin {
  const weights: Record<string, number> = { [objective]: 1 };
  for (const other of others) weights[other] = 0;
  return definePlugin({
    specification: 1,
    name: 'joint',
    title: 'Joint loss alone',
    summary: `Baseline: trains on the ${objective} loss alone, the sum with weight 0 for ${others.join(', ')}.`,
    paper: null,
    options: {},
    create: () => ({ ...sum({ weights }), name: 'joint' }),
  });
}
