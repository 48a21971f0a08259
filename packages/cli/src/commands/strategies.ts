import { type CompositionDescription, descriptions } from '@multigrad/composition';
import { MultigradError } from '@multigrad/core/strategy';
import { Command, Option } from 'commander';
import { exitCodes } from '../shared/exit-codes.ts';
import { builtinPlugins } from '../strategies/builtin.ts';
import { findPlugins } from '../strategies/catalog.ts';
import { listedPlugins } from '../strategies/listed-plugins.ts';
import { collectSpecifiers } from '../strategies/split-specifiers.ts';
import { strategiesPage } from '../strategies/strategies-page.ts';
import { strategiesJson, strategiesText } from '../strategies/strategies-text.ts';
import { compositionDetails, strategyDetails } from '../strategies/strategy-details.ts';
import type { CommandContext } from './command.ts';

interface Written {
  readonly json?: true;
  readonly markdown?: true;
}

/** `multigrad strategies`: lists the strategies, or shows some in full. */
export function strategiesCommand({ environment, done }: CommandContext): Command {
  const { print, folder } = environment;
  return new Command()
    .argument(
      '[strategies...]',
      'Strategies to show in full, as in compare; none to list them all.',
    )
    .addOption(new Option('--json', 'For programs.').conflicts('markdown'))
    .option('--markdown', 'As a page with tables, of the strategies that come with the program.')
    .action(async (given: readonly string[], written: Written) => {
      const { json, markdown } = written;
      if (given.length > 0) print(await details(given, written, folder));
      else if (json) print(strategiesJson(listedPlugins()));
      else print(markdown ? strategiesPage(builtinPlugins) : strategiesText(listedPlugins()));
      done(exitCodes.success);
    });
}

/** Strategies in full, and functions that make one of another. */
async function details(
  given: readonly string[],
  { json, markdown }: Written,
  folder: string,
): Promise<string> {
  if (markdown)
    throw new MultigradError(
      'invalid-option',
      `\`strategies --markdown\` is a page of all strategies, and takes no names. Found ${given.join(' ')}.`,
    );
  const specifiers = collectSpecifiers(given);
  const compositionOf = (name: string): CompositionDescription | undefined =>
    descriptions.find((one) => one.name === name);
  const found = await findPlugins(
    listedPlugins(),
    specifiers.filter((name) => compositionOf(name) === undefined),
    folder,
  );
  const compositions = specifiers.flatMap((name) => compositionOf(name) ?? []);
  if (json)
    return strategiesJson(
      found.map(({ plugin }) => plugin),
      compositions,
    );
  return [
    ...found.map(({ specifier, plugin }) => strategyDetails(specifier, plugin)),
    ...compositions.map(compositionDetails),
  ].join('\n\n\n');
}
