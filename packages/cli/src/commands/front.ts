import { Command } from 'commander';
import type { Experiment } from '@multigrad/experiment';
import { raySpecifiers, spreadRays } from '../strategies/rays.ts';
import type { CommandContext, Written } from './command.ts';
import { addTrainingOptions, configOf, outputOf } from './experiment-options.ts';
import { perExperiment } from './per-experiment.ts';
import { addRequiredOption } from './required-option.ts';
import { trainIntoFolder } from './train-into-folder.ts';
import { wholeNumber } from './whole-number.ts';

const notes = `
Each ray is a direction in the space of the losses, and one run for each seed. Two objectives have rays at equal angles, three
the points of a triangular lattice (3, 6, 10, 15 rays and so on). The strategy's preference follows from the ray. The report draws
the front; front.json and front.csv hold its points, how well each keeps to its ray, and the hypervolume.`;

/** `multigrad front`: runs a strategy with several preferences and draws the Pareto front that they find. */
export function frontCommand(context: CommandContext): Command {
  return perExperiment(context, (experiment) => frontOf(experiment, context));
}

function frontOf(experiment: Experiment, context: CommandContext): Command {
  const command = addRequiredOption(
    new Command(experiment.name).description(`${experiment.title}: ${experiment.summary}`),
    '--strategy <specifier>',
    'Strategy with a preference among objectives, as in epo or pbi:theta=2.',
  )
    .option('--rays <number>', 'Number of rays. (two objectives 8, three 10)')
    .option('--seeds <number>', 'Number of seeds for each ray, from 0 on.', '1')
    .addHelpText('after', notes);
  return addTrainingOptions(command, experiment).action(async (written: Written) => {
    const { objectives } = experiment;
    const count = wholeNumber(
      experiment.name,
      'rays',
      (written['rays'] as string | undefined) ?? (objectives.length === 3 ? '10' : '8'),
      1,
    );
    const seeds = wholeNumber(experiment.name, 'seeds', written['seeds'] as string, 1);
    const rays = spreadRays(objectives, count);
    const strategies = await raySpecifiers(
      experiment,
      written['strategy'] as string,
      rays,
      context.environment.folder,
    );
    const config = configOf('front', experiment, written, {
      strategies,
      seeds: Array.from({ length: seeds }, (_, seed) => seed),
    });
    const aimed = Object.fromEntries(strategies.map((specifier, at) => [specifier, rays[at]!]));
    context.done(
      await trainIntoFolder(
        experiment,
        { ...config, rays: aimed },
        outputOf(experiment, written),
        context,
      ),
    );
  });
}
