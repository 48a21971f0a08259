import { Command } from 'commander';
import type { CommandContext } from './commands/command.ts';
import { commands } from './commands/index.ts';
import type { OutsideExperiment } from './experiments/load-experiment.ts';
import { version } from './shared/version.ts';

const examples = `
Examples:
  multigrad compare cg-mnist --preset quick --out runs/first
      five strategies on a few digits, in minutes
  multigrad compare cg-mnist --preset full --seeds 3 --out runs/full
      the same, measured properly
  multigrad compare cg-mnist --strategies sum,mmpareto:gamma=2,rescale=tensor,./mine.js
      three strategies: sum, MMPareto with two options, and a file of your own
  multigrad compare ./my-experiment.ts
      an experiment of your own, from a file or an npm package
  multigrad train cg-mnist --strategy pcgrad --seed 1 --epochs 2
      one run
  multigrad watch runs/first
      a live page of a folder while it is written
  multigrad study protocol.json --workers 2
      a protocol: experiments, strategies, learning rates chosen on validation, seeds; goes on after any stop
  multigrad analyze cg-mnist --strategies sum,mmpareto --out runs/analysis
      sizes, angles and noise of gradients at fixed weights, and the loss landscape
  multigrad resume runs/full
      go on where it was stopped or killed, from the newest checkpoints
  multigrad export runs/full/runs/sum-seed0 --to exported
      the trained network, for TensorFlow.js and for Python
  multigrad check cg-mnist
      gradients beside finite differences, for a network or a backend of one's own
  multigrad report runs/first
      tables and report anew from the files
  multigrad cite mmpareto pcgrad
      BibTeX of the papers; without a name, of multigrad itself
  multigrad launch -n 4 train cg-mnist --strategy mmpareto --out runs/by-four
      one network, trained by four processes
  multigrad doctor
      which backends are there, do they compute right, how fast, and how to get a faster one
  multigrad native install
      native TensorFlow, for faster training

Exit codes: 0 success, 1 a run or a file failed, 2 a mistake on the command line, 130 interrupted (Ctrl-C finishes the step
and saves; twice leaves at once; resume goes on).`;

/**
 * The `multigrad` command with all its subcommands. Those that the arguments name are loaded; the others are there by
 * name and summary, for the help.
 */
export async function createProgram(
  args: readonly string[],
  given: Omit<CommandContext, 'outside'>,
): Promise<Command> {
  const outside = await outsideExperiment(args, given.environment.folder);
  const context: CommandContext = { ...given, outside };
  const program = new Command('multigrad')
    .description(
      'Trains neural networks with several objectives and compares how their gradients are put together.',
    )
    .version(version)
    // What stands behind the command of `launch` is that command's.
    .enablePositionalOptions()
    .addHelpText('after', examples);
  for (const { name, summary, load } of commands) {
    const command = args.includes(name) ? (await load())(context) : new Command();
    program.addCommand(command.name(name).description(summary));
  }
  return program;
}

/** The experiment that the arguments name, where it does not come with the program; null where they name none that is there. */
async function outsideExperiment(
  [name, specifier]: readonly string[],
  folder: string,
): Promise<OutsideExperiment | null> {
  const takesExperiment = commands.some((entry) => entry.name === name && entry.perExperiment);
  if (!takesExperiment || specifier === undefined || specifier.startsWith('-')) return null;
  const { findExperiment } = await import('./experiments/index.ts');
  if (findExperiment(specifier) !== undefined) return null;
  const { loadExperiment } = await import('./experiments/load-experiment.ts');
  return loadExperiment(specifier, folder);
}
