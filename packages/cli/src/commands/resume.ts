import { resolve } from 'node:path';
import { nodeFiles } from '@multigrad/core/files';
import { Command } from 'commander';
import { experimentOf } from '../analysis/experiment-of.ts';
import { assertSettings } from '../experiments/settings.ts';
import { recoverConfig } from '../runs/rebuild-config.ts';
import { assertTrust, trustOption } from './trust.ts';
import type { CommandContext } from './command.ts';
import { compileOption } from './experiment-options.ts';
import { trainIntoFolder } from './train-into-folder.ts';

interface ResumeOptions {
  readonly tensorboard: boolean;
  readonly compile: boolean;
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
    .addOption(compileOption())
    .addOption(trustOption())
    .action(async (given: string, options: ResumeOptions) =>
      context.done(await resume(given, options, context)),
    );
}

/**
 * Goes on with what an output folder was to hold: runs that are finished stay, others go on from their newest
 * checkpoint, or begin.
 *
 * @param options - whether runs get event files that have none yet, whether backward passes follow plans, and whether code that the folder names may run
 * @returns the exit code
 * @throws MultigradError `io` where there is no configuration, or one of another version of the program
 */
async function resume(
  given: string,
  { tensorboard, compile, trust }: ResumeOptions,
  context: CommandContext,
): Promise<number> {
  const { files = nodeFiles, folder, print } = context.environment;
  const config = await recoverConfig(resolve(folder, given), files, print);
  assertTrust(given, config, trust);
  const experiment = await experimentOf(config, resolve(folder, given), folder);
  assertSettings(experiment, config.settings);
  return trainIntoFolder(
    experiment,
    config,
    { out: given, force: false, tensorboard, compile },
    context,
  );
}
