import { Command } from 'commander';
import type { Experiment } from '@multigrad/experiment';
import { check } from '../training/check-gradients.ts';
import type { CommandContext, Written } from './command.ts';
import { addExperimentOptions, settingsOf } from './experiment-options.ts';
import { perExperiment } from './per-experiment.ts';
import { wholeNumber } from './whole-number.ts';

/** `multigrad check`: compares an experiment's gradients with finite differences. */
export function checkCommand(context: CommandContext): Command {
  return perExperiment(context, (experiment) => checkOf(experiment, context));
}

function checkOf(experiment: Experiment, { environment, done }: CommandContext): Command {
  const command = new Command(experiment.name)
    .description(`${experiment.title}: its gradients beside finite differences.`)
    .option('--samples <number>', 'Entries of each variable that are tried.', '2')
    .option('--seed <number>', 'Seed of data, weights, order and entries.', '0');
  return addExperimentOptions(command, experiment).action(async (written: Written) => {
    const seed = wholeNumber(experiment.name, 'seed', written['seed'] as string, 0);
    const samples = wholeNumber(experiment.name, 'samples', written['samples'] as string, 1);
    done(await check(experiment, settingsOf(experiment, written), seed, samples, environment));
  });
}
