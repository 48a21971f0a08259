import { requireRecipe } from '../experiments/index.ts';
import type { Recipe } from '../experiments/recipe.ts';
import type { ComparisonConfig } from '../runs/config.ts';
import { analyzed } from './inspector.ts';

/**
 * The experiment that a configuration names; with the settings of analyses, where it is of one.
 *
 * @throws MultigradError `invalid-argument` where this version has no experiment of the name
 */
export function recipeOf({ command, recipe }: ComparisonConfig): Recipe {
  const found = requireRecipe(recipe);
  return command === 'analyze' ? analyzed(found) : found;
}
