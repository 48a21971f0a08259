import { Command } from 'commander';
import { experiments } from '../experiments/index.ts';
import type { Experiment } from '@multigrad/experiment';
import type { CommandContext } from './command.ts';

/**
 * A command that has an experiment as its first argument: one subcommand for each that comes with the program, and one for the
 * user's own that the arguments name.
 *
 * @param commandOf - makes the command of an experiment, with its settings as options
 */
export function perExperiment(
  { outside }: CommandContext,
  commandOf: (experiment: Experiment) => Command,
): Command {
  const group = new Command().commandsGroup('Experiments:');
  // The list shows titles; the whole description stands in the experiment's own help.
  for (const experiment of experiments)
    group.addCommand(commandOf(experiment).summary(experiment.title));
  if (outside !== null) {
    const { experiment, specifier } = outside;
    group.addCommand(commandOf(experiment).name(specifier).summary(experiment.title));
  }
  return group
    .usage('<experiment> [options]')
    .helpCommand(false)
    .configureHelp({ subcommandTerm: (command) => command.name() })
    .addHelpText('after', () => settingsHint(group));
}

function settingsHint(group: Command): string {
  const [first] = experiments;
  const command = `multigrad ${group.name()} ${first!.name}`;
  return `
An experiment of your own is named by its file or npm package: multigrad ${group.name()} ./my-experiment.js

The settings of an experiment, with their values in each preset:
  ${command} --help`;
}
