import { Command, Option } from 'commander';
import { exitCodes } from '../shared/exit-codes.ts';
import { builtinPlugins } from '../strategies/builtin.ts';
import { listedPlugins } from '../strategies/listed-plugins.ts';
import { strategiesPage } from '../strategies/strategies-page.ts';
import { strategiesJson, strategiesText } from '../strategies/strategies-text.ts';
import type { CommandContext } from './command.ts';

/** `multigrad strategies`: lists the strategies, with their papers and options. */
export function strategiesCommand({ environment: { print }, done }: CommandContext): Command {
  return new Command()
    .addOption(new Option('--json', 'For programs.').conflicts('markdown'))
    .option('--markdown', 'As a page with tables, of the strategies that come with the program.')
    .action(({ json, markdown }: { readonly json?: true; readonly markdown?: true }) => {
      if (json) print(strategiesJson(listedPlugins()));
      else print(markdown ? strategiesPage(builtinPlugins) : strategiesText(listedPlugins()));
      done(exitCodes.success);
    });
}
