import { resolve } from 'node:path';
import { nodeFiles } from '@multigrad/core/files';
import { MultigradError } from '@multigrad/core/strategy';
import { Command } from 'commander';
import {
  entryOf,
  experimentFiles,
  type ExperimentKind,
  type NewExperiment,
} from '../init/experiment-files.ts';
import { experimentName, findsPackages, writeNewFolder } from '../init/write-experiment.ts';
import { exitCodes } from '../shared/exit-codes.ts';
import type { CommandContext } from './command.ts';

const notes = `
The experiment runs at once, on small made-up data, without a network connection. Nothing is overwritten.

  multigrad init my-experiment                   three tasks from a CSV file
  multigrad init my-experiment --multimodal      one label from an image and a sound
  multigrad compare ./my-experiment/experiment.ts`;

/** What the user may write behind `init`. */
interface Written {
  readonly multiTask?: true;
  readonly multimodal?: true;
  readonly js?: true;
}

/** `multigrad init`: writes an experiment of one's own to start from. */
export function initCommand({ environment, done }: CommandContext): Command {
  return new Command()
    .argument('<folder>', 'A new folder, which the experiment is called after: my-experiment.')
    .option('--multi-task', 'Several tasks from one input, read from a CSV file. (default)')
    .option('--multimodal', 'One label from several modalities, made as arrays.')
    .option('--js', 'JavaScript in the place of TypeScript.')
    .addHelpText('after', notes)
    .action(async (folder: string, written: Written) => {
      if (written.multiTask && written.multimodal) {
        throw new MultigradError(
          'invalid-option',
          '`multigrad init` takes one of --multi-task and --multimodal. Found both.',
        );
      }
      const kind: ExperimentKind = written.multimodal ? 'multimodal' : 'multi-task';
      const experiment: NewExperiment = {
        kind,
        name: experimentName(resolve(environment.folder, folder)),
        folder: asPath(folder),
        language: written.js ? 'js' : 'ts',
      };
      const target = resolve(environment.folder, folder);
      const contents = experimentFiles(experiment);
      await writeNewFolder(environment.files ?? nodeFiles, target, contents);
      environment.print(`${experiment.folder} is written: ${[...contents.keys()].join(', ')}`);
      environment.print(nextSteps(experiment, findsPackages(target)));
      done(exitCodes.success);
    });
}

/** Writes a folder as commands and imports take it: with `/`, and with `./` in front of a name. */
function asPath(folder: string): string {
  const path = folder.replaceAll('\\', '/').replace(/\/+$/, '');
  return /^(?:\.{0,2}\/|[A-Za-z]:)/.test(path) ? path : `./${path}`;
}

function nextSteps(experiment: NewExperiment, isInstalled: boolean): string {
  return [
    'Next:',
    ...(isInstalled ? [] : ['  npm install -D @multigrad/cli']),
    `  npx multigrad compare ${entryOf(experiment)}`,
    'trains five strategies, three times each, and writes tables and a report. Then put your own data in: the file says where.',
  ].join('\n');
}
