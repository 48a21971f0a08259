import { Command, Option } from 'commander';
import type { Experiment } from '@multigrad/experiment';
import { numbersByObjective, readPreferences } from '../strategies/preferences.ts';
import { type Ray, raySpecifiers, spreadRays } from '../strategies/rays.ts';
import type { CommandContext, Written } from './command.ts';
import { addTrainingOptions, configOf, outputOf } from './experiment-options.ts';
import { perExperiment } from './per-experiment.ts';
import { addRequiredOption } from './required-option.ts';
import { trainIntoFolder } from './train-into-folder.ts';
import { wholeNumber } from './whole-number.ts';

const notes = `
Each ray is a direction in the space of the losses, and one run for each seed. Two objectives have rays at equal angles, three
the points of a triangular lattice (3, 6, 10, 15 rays and so on). The strategy's preference follows from the ray.

A preference says how much each objective counts: its ray is that of the reciprocals, as what counts more is to have the smaller
loss. Numbers are in the order of the objectives, or have their names:
  --preferences '0.2,0.8;0.5,0.5'                two rays
  --preferences 'left=1,right=4;left=1,right=1'  the same two, of multi-mnist
  --preferences rays.txt                         a file with one on each line

The report draws the front; front.json and front.csv hold its points, how well each keeps to its ray, and the hypervolume below
the reference point. Fronts of several folders can be compared where --reference gives them the same one.`;

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
    .addOption(
      new Option(
        '--preferences <list or file>',
        `Preferences of your own in place of spread rays, in the order ${experiment.objectives.join(', ')}.`,
      ).conflicts('rays'),
    )
    .option(
      '--reference <losses>',
      'Losses of the reference point, as in 2.5,2.5. (1.1 times the greatest loss of any point)',
    )
    .option('--seeds <number>', 'Number of seeds for each ray, from 0 on.', '1')
    .addHelpText('after', notes);
  return addTrainingOptions(command, experiment).action(async (written: Written) => {
    const { objectives } = experiment;
    const seeds = wholeNumber(experiment.name, 'seeds', written['seeds'] as string, 1);
    const rays = await raysOf(experiment, written, context.environment.folder);
    const reference = written['reference'] as string | undefined;
    const point =
      reference === undefined
        ? {}
        : { reference: numbersByObjective(objectives, reference, 'Option `reference`') };
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
        { ...config, rays: aimed, ...point },
        outputOf(experiment, written),
        context,
      ),
    );
  });
}

/** The rays that the user wrote as preferences, or a number of spread ones. */
async function raysOf(
  { name, objectives }: Experiment,
  written: Written,
  folder: string,
): Promise<Ray[]> {
  const preferences = written['preferences'] as string | undefined;
  if (preferences !== undefined) return readPreferences(objectives, preferences, folder);
  const usual = objectives.length === 3 ? '10' : '8';
  const count = (written['rays'] as string | undefined) ?? usual;
  return spreadRays(objectives, wholeNumber(name, 'rays', count, 1));
}
