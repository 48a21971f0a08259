import { Command } from 'commander';
import { watch } from '../watch/serve-folder.ts';
import type { CommandContext } from './command.ts';
import { wholeNumber } from './whole-number.ts';

/** `multigrad watch`: a live page of an output folder. */
export function watchCommand({ environment, done }: CommandContext): Command {
  return new Command()
    .argument('<folder>', 'Output folder of compare or train, which may be writing it.')
    .option('--port <number>', 'Port of the page; 0 for one that is free.', '0')
    .action(async (given: string, { port }: { readonly port: string }) => {
      done(await watch(given, wholeNumber('watch', 'port', port, 0, 65_535), environment));
    });
}
