import { resolve } from 'node:path';
import { nodeFiles } from '@multigrad/core/files';
import { Command } from 'commander';
import type { Environment } from '../shared/environment.ts';
import { requireRecipe } from '../experiments/index.ts';
import { readConfig } from '../runs/read-folder.ts';
import { recoverConfig } from '../runs/rebuild-config.ts';
import type { CommandContext } from './command.ts';
import { runRequest } from './run-request.ts';

/** `multigrad resume`: goes on with an output folder. */
export function resumeCommand({ environment, done }: CommandContext): Command {
  return new Command()
    .argument('<folder>', 'Output folder of compare or train.')
    .option(
      '--tensorboard',
      'Write TensorBoard event files; runs that have some go on with them anyway.',
      false,
    )
    .action(async (given: string, { tensorboard }: { readonly tensorboard: boolean }) =>
      done(await resume(given, tensorboard, environment)),
    );
}

/**
 * Goes on with what an output folder was to hold: runs that are finished stay, others go on from their newest
 * checkpoint, or begin.
 *
 * @param tensorboard - whether runs get event files that have none yet
 * @returns the exit code
 * @throws MultigradError `io` where there is no configuration, or one of another version of the program
 */
async function resume(
  given: string,
  tensorboard: boolean,
  environment: Environment,
): Promise<number> {
  const { files = nodeFiles, print } = environment;
  const folder = resolve(environment.folder, given);
  const config = (await recoverConfig(folder, files, print)) ?? (await readConfig(folder, files));
  const { recipe, strategies, seeds, settings } = config;
  const asked = { strategies, seeds, settings, out: given, force: false, tensorboard };
  // Only analyses have a grid.
  const analyze = 'grid' in settings;
  return runRequest({ ...asked, recipe: requireRecipe(recipe), analyze }, environment);
}
