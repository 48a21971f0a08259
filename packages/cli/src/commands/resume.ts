import { resolve } from 'node:path';
import type { Environment } from '../environment.ts';
import { requireRecipe } from '../recipes/index.ts';
import { readConfig } from '../runs/output-folder.ts';
import { compare } from './compare.ts';

/**
 * Goes on with what an output folder was to hold: runs that are finished stay, others go on from their newest
 * checkpoint, or begin.
 *
 * @param tensorboard - whether runs get event files that have none yet
 * @returns the exit code
 * @throws MultigradError `io` where there is no configuration, or one of another version of the program
 */
export async function resume(
  given: string,
  tensorboard: boolean,
  environment: Environment,
): Promise<number> {
  const { recipe, strategies, seeds, settings } = readConfig(resolve(environment.folder, given));
  const asked = { strategies, seeds, settings, out: given, force: false, tensorboard };
  // Only analyses have a grid.
  const analyze = 'grid' in settings;
  return compare({ ...asked, recipe: requireRecipe(recipe), analyze }, environment);
}
