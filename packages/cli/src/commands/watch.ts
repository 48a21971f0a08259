import { Command } from 'commander';
import type { CommandContext } from './command.ts';
import { wholeNumber } from './whole-number.ts';

/** `multigrad watch`: a live page of an output folder. */
export function watchCommand({ environment, done }: CommandContext): Command {
  return new Command('watch')
    .description(
      'Show a live page of an output folder, in a browser on this machine, until Ctrl-C.',
    )
    .argument('<folder>', 'Output folder of compare or train, which may be writing it.')
    .option('--port <number>', 'Port of the page; 0 for one that is free.', '0')
    .action(async (given: string, { port }: { readonly port: string }) => {
      // The chart library takes longer to load than most commands take to run.
      const { watch } = await import('../watch/serve-folder.ts');
      done(await watch(given, wholeNumber('watch', 'port', port, 0, 65_535), environment));
    });
}
