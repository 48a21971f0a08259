import type { StrategyPlugin } from '@multigrad/core/strategy';
import { experiments } from '../experiments/index.ts';
import { experimentPlugins } from './catalog.ts';

/** The strategies to list: the baselines of the experiments, then what is installed, each name once. */
export function listedPlugins(): StrategyPlugin[] {
  const plugins = new Map<string, StrategyPlugin>();
  for (const plugin of experiments.flatMap(experimentPlugins)) {
    if (!plugins.has(plugin.name)) plugins.set(plugin.name, plugin);
  }
  return [...plugins.values()];
}
