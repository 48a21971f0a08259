import { resolve } from 'node:path';
import { Command } from 'commander';
import { resultLines, writeOutputs } from '../report/outputs.ts';
import { exitCodes } from '../shared/exit-codes.ts';
import type { CommandContext } from './command.ts';

/** `multigrad report`: writes tables and report of an output folder anew. */
export function reportCommand({ environment, done }: CommandContext): Command {
  const { print, folder, files, draw } = environment;
  return new Command()
    .argument('<folder>', 'Output folder of compare or train.')
    .action(async (given: string) => {
      const summary = await writeOutputs(resolve(folder, given), given, files, draw);
      for (const line of resultLines(given, summary)) print(line);
      done(exitCodes.success);
    });
}
