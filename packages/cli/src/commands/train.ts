import { MultigradError } from '@multigrad/core/strategy';
import { Command } from 'commander';
import type { Experiment } from '@multigrad/experiment';
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

function trainingOf(experiment: Experiment, context: CommandContext): Command {
  const command = addRequiredOption(
    new Command(experiment.name).description(`${experiment.title}: ${experiment.summary}`),
    '--strategy <specifier>',
    'Strategy, as in mmpareto:gamma=2,rescale=tensor.',
  ).option('--seed <number>', 'Seed of data, weights and order.', '0');
  return addTrainingOptions(command, experiment).action(async (written: Written) => {
    const seed = wholeNumber(experiment.name, 'seed', written['seed'] as string, 0);
    const config = configOf('train', experiment, written, {
      strategies: [written['strategy'] as string],
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
