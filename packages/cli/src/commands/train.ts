import { MultigradError } from '@multigrad/core/strategy';
import { Command } from 'commander';
import type { Experiment } from '@multigrad/experiment';
import { noBalancing } from '../strategies/balancing.ts';
import { runLabel } from '../runs/run-label.ts';
import { learningRates } from '../runs/settings.ts';
import type { CommandContext, Written } from './command.ts';
import { addTrainingOptions, configOf, outputOf } from './experiment-options.ts';
import { perExperiment } from './per-experiment.ts';
import { addRequiredOption } from './required-option.ts';
import { trainIntoFolder } from './train-into-folder.ts';
import { wholeNumber } from './whole-number.ts';

/** `multigrad train`: trains one strategy once. */
export function trainCommand(context: CommandContext): Command {
  return perExperiment(context, (experiment) => trainingOf(experiment, context));
}

/** The label of the run: the strategy, with the balancing method that was asked for. */
function labelOf(written: Written): string {
  const strategy = written['strategy'] as string;
  const balance = (written['balance'] as string | undefined) ?? noBalancing;
  return runLabel({ strategy, balance: balance === noBalancing ? null : balance });
}

function trainingOf(experiment: Experiment, context: CommandContext): Command {
  const command = addRequiredOption(
    new Command(experiment.name).description(`${experiment.title}: ${experiment.summary}`),
    '--strategy <specifier>',
    'Strategy, as in mmpareto:gamma=2,rescale=tensor.',
  )
    .option(
      '--balance <specifier>',
      'Balancing method beside it, as in ogm-ge:alpha=0.3. (default none)',
    )
    .option('--seed <number>', 'Seed of data, weights and order.', '0');
  return addTrainingOptions(command, experiment).action(async (written: Written) => {
    const seed = wholeNumber(experiment.name, 'seed', written['seed'] as string, 0);
    const config = configOf('train', experiment, written, {
      strategies: [labelOf(written)],
      seeds: [seed],
    });
    if (learningRates(config.settings).length > 1) {
      throw new MultigradError(
        'invalid-option',
        `Option \`lr\` of \`train\` should be one learning rate; several are for \`compare\`. Found "${config.settings['lr']!}".`,
      );
    }
    context.done(await trainIntoFolder(experiment, config, outputOf(experiment, written), context));
  });
}
