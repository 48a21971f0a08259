import { Command } from 'commander';
import { experiments } from '../experiments/index.ts';
import type { Experiment } from '@multigrad/experiment';

/**
 * A command that has an experiment as its first argument: one subcommand for each.
 *
 * @param commandOf - makes the command of an experiment, with its settings as options
 */
export function perExperiment(commandOf: (experiment: Experiment) => Command): Command {
  const group = new Command().commandsGroup('Experiments:');
  // The list shows titles; the whole description stands in the experiment's own help.
  for (const experiment of experiments)
    group.addCommand(commandOf(experiment).summary(experiment.title));
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
The settings of an experiment, with their values in both presets:
  ${command} --help`;
}

/**
 * The hint for an option that was written without its experiment; null where no experiment has the option.
 *
 * @param flag - the option, as in `--epochs`
 */
export function missingExperiment(group: Command, flag: string): string | null {
  const owner = group.commands.find(({ options }) =>
    options.some((option) => option.long === flag),
  );
  if (owner === undefined) return null;
  return `An experiment comes first: multigrad ${group.name()} ${owner.name()} ${flag} …`;
}
