import { MultigradError } from '@multigrad/core/strategy';
import { Command } from 'commander';
import { citations } from '../citations/citations.ts';
import { exitCodes } from '../shared/exit-codes.ts';
import { builtinPlugins } from '../strategies/builtin.ts';
import { findPlugins } from '../strategies/catalog.ts';
import { listedPlugins } from '../strategies/listed-plugins.ts';
import { collectSpecifiers } from '../strategies/split-specifiers.ts';
import type { CommandContext } from './command.ts';

/** `multigrad cite`: prints BibTeX of strategies' papers and of multigrad itself. */
export function citeCommand({ environment: { print, folder }, done }: CommandContext): Command {
  return new Command()
    .argument('[strategies...]', 'Strategies, as in compare; separated by spaces or commas.')
    .option('--all', 'multigrad and every strategy that is installed.', false)
    .action(async (given: readonly string[], { all }: { readonly all: boolean }) => {
      if (all && given.length > 0)
        throw new MultigradError(
          'invalid-option',
          `\`cite --all\` takes no strategies, since it cites them all. Found ${given.join(' ')}.`,
        );
      const found = await findPlugins(listedPlugins(), collectSpecifiers(given), folder);
      const plugins = all ? builtinPlugins : found.map(({ plugin }) => plugin);
      print(citations(plugins, all || given.length === 0));
      done(exitCodes.success);
    });
}
