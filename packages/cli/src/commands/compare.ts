import { own } from '@multigrad/core/strategy';
import { Command, Option } from 'commander';
import type { Experiment } from '@multigrad/experiment';
import { crossed } from '../runs/run-label.ts';
import { expandBalancing } from '../strategies/balancing.ts';
import { expandAll } from '../strategies/catalog.ts';
import { collectSpecifiers } from '../strategies/split-specifiers.ts';
import type { CommandContext, Written } from './command.ts';
import { addTrainingOptions, configOf, outputOf } from './experiment-options.ts';
import { perExperiment } from './per-experiment.ts';
import { trainIntoFolder } from './train-into-folder.ts';
import { wholeNumber } from './whole-number.ts';

/** `multigrad compare`: trains several strategies on one experiment and compares them. */
export function compareCommand(context: CommandContext): Command {
  return perExperiment(context, (experiment) => comparisonOf('compare', experiment, context));
}

const append = (value: string, before: readonly string[] = []): readonly string[] => [
  ...before,
  value,
];

/** How many seeds each preset has. */
function seedsOf({ presets }: Experiment): string {
  const seeds = Object.entries(presets).map(([name, preset]) => [name, preset.seeds] as const);
  return seeds.every(([, count]) => count === seeds[0]![1])
    ? `default ${seeds[0]![1]}`
    : seeds.map(([name, count]) => `${name} ${count}`).join(', ');
}

/** The labels of all runs of a seed: every strategy with every balancing method that was asked for. */
function methodsOf(
  strategies: readonly string[] | undefined,
  balances: readonly string[] | undefined,
  defaults: readonly string[],
): readonly string[] {
  const named = strategies && expandAll(collectSpecifiers(strategies));
  if (balances === undefined) return named ?? defaults;
  return crossed(named ?? ['sum'], expandBalancing(collectSpecifiers(balances)));
}

/** The command that compares strategies on one experiment, or analyzes them. */
export function comparisonOf(
  name: 'compare' | 'analyze',
  experiment: Experiment,
  context: CommandContext,
): Command {
  const strategies = name === 'analyze' ? ['sum', 'mmpareto'] : experiment.strategies;
  const command = new Command(experiment.name)
    .description(`${experiment.title}: ${experiment.summary}`)
    .addOption(
      new Option(
        '--strategies <list>',
        `Strategies, separated by commas; all for every one that is installed. (default ${strategies.join(',')})`,
      ).argParser(append),
    )
    .addOption(
      new Option(
        '--balance <list>',
        'Balancing methods, each with each strategy, or with sum where you name none; none for training without, all for none and every method.',
      ).argParser(append),
    )
    .option('--seeds <number>', `Number of seeds, from 0 on. (${seedsOf(experiment)})`);
  return addTrainingOptions(command, experiment).action(async (written: Written) => {
    const lists = written['strategies'] as readonly string[] | undefined;
    const seeds = written['seeds'] as string | undefined;
    const preset = own(experiment.presets, written['preset'] as string)!;
    const count =
      seeds === undefined ? preset.seeds : wholeNumber(experiment.name, 'seeds', seeds, 1);
    const config = configOf(name, experiment, written, {
      strategies: methodsOf(lists, written['balance'] as readonly string[] | undefined, strategies),
      seeds: Array.from({ length: count }, (_, seed) => seed),
    });
    context.done(await trainIntoFolder(experiment, config, outputOf(experiment, written), context));
  });
}
