import { Command } from 'commander';
import { exportRun } from '../training/export-run.ts';
import type { ComparisonConfig } from '../runs/config.ts';
import type { CommandContext } from './command.ts';
import { addRequiredOption } from './required-option.ts';
import { assertTrust, trustOption } from './trust.ts';

/** `multigrad export`: writes the trained network of a run for TensorFlow.js and for Python. */
export function exportCommand({ environment, done }: CommandContext): Command {
  const command = new Command()
    .addOption(trustOption())
    .argument(
      '<run>',
      'Folder of a run, as in runs/mine/runs/sum-seed0, or an output folder of one run.',
    );
  return addRequiredOption(command, '--to <folder>', 'Folder to write to; new or empty.').action(
    async (given: string, { to, trust }: { readonly to: string; readonly trust: boolean }) => {
      const check = (config: ComparisonConfig): void => assertTrust(given, config, trust);
      done(await exportRun(given, to, environment, check));
    },
  );
}
