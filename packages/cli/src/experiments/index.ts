import { MultigradError, nearestName } from '@multigrad/core/strategy';
import { avDigitsMmtmRecipe } from './av-digits-mmtm.ts';
import { avDigitsTransformerRecipe } from './av-digits-transformer.ts';
import { avDigitsRecipe } from './av-digits.ts';
import { cgMnistRecipe } from './cg-mnist.ts';
import { cremaDRecipe } from './crema-d.ts';
import { fashionAndDigitRecipe } from './fashion-and-digit.ts';
import { multiMnistNoisyRecipe, multiMnistRecipe } from './multi-mnist.ts';
import type { Recipe } from './recipe.ts';

/** Every experiment that the command line can run, in the order of its help. */
export const recipes: readonly Recipe[] = [
  cgMnistRecipe,
  avDigitsRecipe,
  avDigitsTransformerRecipe,
  avDigitsMmtmRecipe,
  multiMnistRecipe,
  multiMnistNoisyRecipe,
  fashionAndDigitRecipe,
  cremaDRecipe,
];

/** The recipe of a name, or undefined where this version has none. */
export function findRecipe(name: string): Recipe | undefined {
  return recipes.find((recipe) => recipe.name === name);
}

/**
 * The recipe of a name.
 *
 * @throws MultigradError `invalid-argument` with the nearest name where there is none
 */
export function requireRecipe(name: string): Recipe {
  const recipe = findRecipe(name);
  if (recipe) return recipe;
  const names = recipes.map((one) => one.name);
  const near = nearestName(name, names);
  throw new MultigradError(
    'invalid-argument',
    `There is no experiment \`${name}\`.${near === undefined ? '' : ` Did you mean \`${near}\`?`} Known: ${names.join(', ')}.`,
  );
}
