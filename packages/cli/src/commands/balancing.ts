import { Command, Option } from 'commander';
import { exitCodes } from '../shared/exit-codes.ts';
import { balancingPlugins, findBalancing } from '../strategies/balancing.ts';
import { balancingJson, balancingPage, balancingText } from '../strategies/balancing-text.ts';
import { collectSpecifiers } from '../strategies/split-specifiers.ts';
import type { CommandContext } from './command.ts';

interface Written {
  readonly json?: true;
  readonly markdown?: true;
}

/** `multigrad balancing`: lists the balancing methods, or shows some in full. */
export function balancingCommand({ environment: { print }, done }: CommandContext): Command {
  return new Command()
    .argument('[methods...]', 'Methods to show in full; none to list them all.')
    .addOption(new Option('--json', 'For programs.').conflicts('markdown'))
    .option('--markdown', 'As a page with a table.')
    .action((given: readonly string[], { json, markdown }: Written) => {
      const named = collectSpecifiers(given).map((one) => findBalancing(one).plugin);
      const shown = named.length > 0 ? named : balancingPlugins;
      if (json) print(balancingJson(shown));
      else print(markdown ? balancingPage(shown) : balancingText(shown, named.length > 0));
      done(exitCodes.success);
    });
}
