import type { Recipe } from '../experiments/recipe.ts';
import type { ComparisonConfig } from '../runs/config.ts';
import type { ChosenStrategy } from '../strategies/catalog.ts';

/** A configuration that is ready to be trained: the experiment and the strategies that it names are found and checked. */
export interface Comparison {
  readonly config: ComparisonConfig;
  readonly recipe: Recipe;
  /** In the order of the configuration. */
  readonly strategies: readonly ChosenStrategy[];
}
