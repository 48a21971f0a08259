import { resolve } from 'node:path';
import { nodeFiles } from '@multigrad/core/files';
import { MultigradError } from '@multigrad/core/strategy';
import { Command } from 'commander';
import { experimentOf } from '../analysis/experiment-of.ts';
import { assertSettings } from '../experiments/settings.ts';
import { recoverConfig } from '../runs/rebuild-config.ts';
import { outsideSpecifiers } from '../strategies/catalog.ts';
import type { CommandContext } from './command.ts';
import { trainIntoFolder } from './train-into-folder.ts';

interface ResumeOptions {
  readonly tensorboard: boolean;
  readonly trust: boolean;
}

/** `multigrad resume`: goes on with an output folder. */
export function resumeCommand(context: CommandContext): Command {
  return new Command()
    .argument('<folder>', 'Output folder of compare or train.')
    .option(
      '--tensorboard',
      'Write TensorBoard event files; runs that have some go on with them anyway.',
      false,
    )
    .option(
      '--trust',
      'Run the code of strategies that the folder names by file or package. Needed where it names any.',
      false,
    )
    .action(async (given: string, options: ResumeOptions) =>
      context.done(await resume(given, options, context)),
    );
}

/**
 * Goes on with what an output folder was to hold: runs that are finished stay, others go on from their newest
 * checkpoint, or begin.
 *
 * @param options - whether runs get event files that have none yet, and whether code that the folder names may run
 * @returns the exit code
 * @throws MultigradError `io` where there is no configuration, or one of another version of the program
 */
async function resume(
  given: string,
  { tensorboard, trust }: ResumeOptions,
  context: CommandContext,
): Promise<number> {
  const { files = nodeFiles, folder, print } = context.environment;
  const config = await recoverConfig(resolve(folder, given), files, print);
  const experiment = experimentOf(config);
  const outside = outsideSpecifiers(experiment, config.strategies);
  if (outside.length > 0 && !trust) {
    throw new MultigradError(
      'invalid-option',
      `${given} names code that is no part of multigrad, and would be run: ${outside.map((one) => JSON.stringify(one)).join(', ')}. ` +
        'Where the folder is yours, or you have read that code, add --trust.',
    );
  }
  assertSettings(experiment, config.settings);
  return trainIntoFolder(config, { out: given, force: false, tensorboard }, context);
}
