import { resolve } from 'node:path';
import { nodeFiles } from '@multigrad/core/files';
import { Command } from 'commander';
import { resultLines, writeOutputs } from '../report/outputs.ts';
import { readConfig } from '../runs/read-folder.ts';
import { exitCodes } from '../shared/exit-codes.ts';
import type { CommandContext } from './command.ts';

/** `multigrad report`: writes tables and report of an output folder anew. */
export function reportCommand({ environment, done }: CommandContext): Command {
  const { print, files = nodeFiles, draw } = environment;
  return new Command()
    .argument('<folder>', 'Output folder of compare or train.')
    .action(async (given: string) => {
      const folder = resolve(environment.folder, given);
      const config = await readConfig(folder, files);
      const summary = await writeOutputs(folder, config, given, files, draw);
      for (const line of resultLines(given, summary)) print(line);
      done(exitCodes.success);
    });
}
