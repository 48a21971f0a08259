import type { BalancingPlugin } from '@multigrad/balancing';
import { MultigradError } from '@multigrad/core/strategy';
import { Command } from 'commander';
import { citations } from '../citations/citations.ts';
import { exitCodes } from '../shared/exit-codes.ts';
import { builtinPlugins } from '../strategies/builtin.ts';
import { parseRunLabel } from '../runs/run-label.ts';
import { balancingPlugins, findBalancing } from '../strategies/balancing.ts';
import { findPlugins } from '../strategies/catalog.ts';
import { listedPlugins } from '../strategies/listed-plugins.ts';
import { collectSpecifiers } from '../strategies/split-specifiers.ts';
import type { CommandContext } from './command.ts';

/** `multigrad cite`: prints BibTeX of strategies' papers and of multigrad itself. */
export function citeCommand({ environment: { print, folder }, done }: CommandContext): Command {
  return new Command()
    .argument(
      '[strategies...]',
      'Strategies and balancing methods, as in compare; separated by spaces or commas.',
    )
    .option(
      '--all',
      'multigrad, every strategy that is installed and every balancing method.',
      false,
    )
    .action(async (given: readonly string[], { all }: { readonly all: boolean }) => {
      if (all && given.length > 0)
        throw new MultigradError(
          'invalid-option',
          `\`cite --all\` takes no strategies, since it cites them all. Found ${given.join(' ')}.`,
        );
      const asked = collectSpecifiers(given).map(citedOf);
      const found = await findPlugins(
        listedPlugins(),
        asked.flatMap(({ strategies }) => strategies),
        folder,
      );
      const plugins = all
        ? [...builtinPlugins, ...balancingPlugins]
        : [...found.map(({ plugin }) => plugin), ...asked.flatMap(({ balancing }) => balancing)];
      print(citations(plugins, all || given.length === 0));
      done(exitCodes.success);
    });
}

/** What a word names: a strategy, a balancing method, or both with a plus between them. */
function citedOf(text: string): {
  readonly strategies: readonly string[];
  readonly balancing: readonly BalancingPlugin[];
} {
  const isBalancing = balancingPlugins.some(({ name }) => name === text.replace(/:.*$/s, ''));
  if (isBalancing) return { strategies: [], balancing: [findBalancing(text).plugin] };
  const { strategy, balance } = parseRunLabel(text);
  return {
    strategies: [strategy],
    balancing: balance === null ? [] : [findBalancing(balance).plugin],
  };
}
