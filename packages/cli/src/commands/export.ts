import { Command } from 'commander';
import type { CommandContext } from './command.ts';

/** `multigrad export`: writes the trained network of a run for TensorFlow.js and for Python. */
export function exportCommand({ environment, done }: CommandContext): Command {
  return new Command('export')
    .description(
      'Write the trained network of a run as TensorFlow.js models and as safetensors, from its newest checkpoint.',
    )
    .argument(
      '<run>',
      'Folder of a run, as in runs/mine/runs/sum-seed0, or an output folder of one run.',
    )
    .requiredOption('--to <folder>', 'Folder to write to; new or empty.')
    .action(async (given: string, { to }: { readonly to: string }) => {
      const { exportRun } = await import('../training/export-run.ts');
      done(await exportRun(given, to, environment));
    });
}
