import { Command, Option } from 'commander';
import type { PresetName, Recipe } from '../experiments/recipe.ts';
import { expandAll } from '../strategies/catalog.ts';
import { collectSpecifiers } from '../strategies/split-specifiers.ts';
import type { CommandContext, Written } from './command.ts';
import { addTrainingOptions, configOf, outputOf } from './experiment-options.ts';
import { perExperiment } from './per-experiment.ts';
import { trainIntoFolder } from './train-into-folder.ts';
import { wholeNumber } from './whole-number.ts';

/** `multigrad compare`: trains several strategies on one experiment and compares them. */
export function compareCommand(context: CommandContext): Command {
  return perExperiment((recipe) => comparisonOf('compare', recipe, context));
}

const append = (value: string, before: readonly string[] = []): readonly string[] => [
  ...before,
  value,
];

/** The command that compares strategies on one experiment, or analyzes them. */
export function comparisonOf(
  name: 'compare' | 'analyze',
  recipe: Recipe,
  context: CommandContext,
): Command {
  const strategies = name === 'analyze' ? ['sum', 'mmpareto'] : recipe.strategies;
  const command = new Command(recipe.name)
    .description(`${recipe.title}: ${recipe.summary}`)
    .addOption(
      new Option(
        '--strategies <list>',
        `Strategies, separated by commas; all for every one that is installed. (default ${strategies.join(',')})`,
      ).argParser(append),
    )
    .option(
      '--seeds <number>',
      `Number of seeds, from 0 on. (quick ${recipe.presets.quick.seeds}, full ${recipe.presets.full.seeds})`,
    );
  return addTrainingOptions(command, recipe).action(async (written: Written) => {
    const lists = written['strategies'] as readonly string[] | undefined;
    const seeds = written['seeds'] as string | undefined;
    const preset = recipe.presets[written['preset'] as PresetName];
    const count = seeds === undefined ? preset.seeds : wholeNumber(recipe.name, 'seeds', seeds, 1);
    const config = configOf(name, recipe, written, {
      strategies: lists ? expandAll(collectSpecifiers(lists)) : strategies,
      seeds: Array.from({ length: count }, (_, seed) => seed),
    });
    context.done(await trainIntoFolder(config, outputOf(recipe, written), context));
  });
}
