import type { StrategyPlugin } from '@multigrad/core/strategy';
import { recipes } from '../experiments/index.ts';
import { recipePlugins } from './catalog.ts';

/** The strategies to list: the baselines of the recipes, then what is installed, each name once. */
export function listedPlugins(): StrategyPlugin[] {
  const plugins = new Map<string, StrategyPlugin>();
  for (const plugin of recipes.flatMap(recipePlugins)) {
    if (!plugins.has(plugin.name)) plugins.set(plugin.name, plugin);
  }
  return [...plugins.values()];
}
