import { Command } from 'commander';
import { exportRun } from '../training/export-run.ts';
import type { CommandContext } from './command.ts';
import { addRequiredOption } from './required-option.ts';

/** `multigrad export`: writes the trained network of a run for TensorFlow.js and for Python. */
export function exportCommand({ environment, done }: CommandContext): Command {
  const command = new Command().argument(
    '<run>',
    'Folder of a run, as in runs/mine/runs/sum-seed0, or an output folder of one run.',
  );
  return addRequiredOption(command, '--to <folder>', 'Folder to write to; new or empty.').action(
    async (given: string, { to }: { readonly to: string }) => {
      done(await exportRun(given, to, environment));
    },
  );
}
