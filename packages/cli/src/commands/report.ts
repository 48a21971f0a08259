import { resolve } from 'node:path';
import { Command } from 'commander';
import { resultLines, writeOutputs } from '../report/outputs.ts';
import { exitCodes } from '../shared/exit-codes.ts';
import type { CommandContext } from './command.ts';

/** `multigrad report`: writes tables and report of an output folder anew. */
export function reportCommand({ environment: { print, folder }, done }: CommandContext): Command {
  return new Command()
    .argument('<folder>', 'Output folder of compare or train.')
    .action(async (given: string) => {
      for (const line of resultLines(given, await writeOutputs(resolve(folder, given), given)))
        print(line);
      done(exitCodes.success);
    });
}
