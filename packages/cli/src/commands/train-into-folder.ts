import { resolve } from 'node:path';
import { type Files, nodeFiles } from '@multigrad/core/files';
import type { Experiment } from '@multigrad/experiment';
import { moduleOf } from '../experiments/load-experiment.ts';
import { quoted, resultLines, writeOutputs } from '../report/outputs.ts';
import { type ComparisonConfig, mergeConfigs, titled } from '../runs/config.ts';
import { checkOutputFolder, openOutputFolder } from '../runs/output-folder.ts';
import { type RunName, runNames } from '../runs/run-names.ts';
import { textSetting } from '../runs/settings.ts';
import { interruptionOf } from '../shared/environment.ts';
import { exitCodes } from '../shared/exit-codes.ts';
import { formatCount } from '../shared/wording.ts';
import { chooseStrategies, outsideTitles } from '../strategies/catalog.ts';
import type { Comparison } from '../training/comparison.ts';
import { type Machine, startMachine } from '../training/machine.ts';
import { openRuns } from '../training/open-runs.ts';
import { followRun } from '../training/ranks/follow-run.ts';
import { trainRuns } from '../training/train-runs.ts';
import { tryExperiment } from '../training/try-experiment.ts';
import type { CommandContext } from './command.ts';

/** Where the user wants results, and what happens to those that are there. */
export interface Output {
  /** Output folder, relative to the environment's folder. */
  readonly out: string;
  /** Whether results that the folder holds are replaced. */
  readonly force: boolean;
  /** Whether each run's folder gets TensorBoard event files too. */
  readonly tensorboard: boolean;
  /** Whether backward passes follow plans. Weights are the same either way, so a folder takes both kinds of runs. */
  readonly compile: boolean;
}

type TrainingContext = Pick<CommandContext, 'environment' | 'ranks' | 'outside'>;

/**
 * Trains the runs of a configuration that its folder lacks, and writes tables and a report of all that the folder holds,
 * also after an interruption.
 *
 * @returns the exit code
 * @throws MultigradError for anything wrong with what is asked for, before any training
 */
export async function trainIntoFolder(
  experiment: Experiment,
  given: ComparisonConfig,
  output: Output,
  context: TrainingContext,
): Promise<number> {
  const { environment, ranks } = context;
  const folder = resolve(environment.folder, output.out);
  const found = { ...given, ...moduleOf(context.outside, folder) };
  await ranks.check(found, environment.folder);
  const strategies = await chooseStrategies(experiment, given.strategies, environment.folder);
  const config = {
    ...found,
    ...titled({ ...given.titles, ...outsideTitles(experiment, strategies) }),
  };
  const asked: Comparison = { config, experiment, strategies };
  if (!ranks.leads) return followRun(asked, ranks, output.compile, environment);
  const { files = nodeFiles, signal, print, complain, draw } = environment;
  const due = await isTrainingDue(folder, config, output.force, files);
  const machine = due
    ? await startMachine(textSetting(config.settings, 'backend'), environment)
    : null;
  // An experiment that is broken fails here, before a folder is made.
  if (due) await tryExperiment(experiment, config.settings, config.seeds[0]!);
  const opened = await openOutputFolder(folder, config, output.force, files);
  try {
    const whole = opened.config;
    const left = await openRuns(folder, config, whole, files);
    const site = { ...output, folder, files, machine };
    const failures = await train(asked, whole, left, site, context);
    const summary = await writeOutputs(folder, whole, output.out, files, draw);
    for (const line of resultLines(output.out, summary)) print(line);
    for (const failure of failures) complain(`Failed: ${failure}`);
    if (signal.aborted) {
      complain(
        `${interruptionOf(signal)}: what was measured is kept, and the training up to its last step. ` +
          `Go on with \`multigrad resume ${quoted(output.out)}\`.`,
      );
      return exitCodes.interrupted;
    }
    return failures.length > 0 ? exitCodes.failure : exitCodes.success;
  } finally {
    await opened.release();
  }
}

/** Whether a folder lacks a run that is asked for. @throws MultigradError `io` for a folder that cannot be used */
async function isTrainingDue(
  folder: string,
  config: ComparisonConfig,
  force: boolean,
  files: Files,
): Promise<boolean> {
  const there = await checkOutputFolder(folder, config, force, files);
  if (there === null) return true;
  const left = await openRuns(folder, config, mergeConfigs(there, config), files);
  return left.length > 0;
}

/** An output folder that is open. */
interface OpenOutput extends Output {
  /** Its path. */
  readonly folder: string;
  readonly files: Files;
  /** Null where nothing was left to do when the folder was looked at. */
  readonly machine: Machine | null;
}

/**
 * Trains the runs that are left, and tells the user what is done.
 *
 * @param whole - the folder's configuration, of which the one that is asked for is a part
 * @returns what went wrong, a sentence for each failed run
 */
async function train(
  asked: Comparison,
  whole: ComparisonConfig,
  left: readonly RunName[],
  { out, folder, files, tensorboard, compile, machine }: OpenOutput,
  { environment, ranks }: TrainingContext,
): Promise<readonly string[]> {
  const { config, experiment } = asked;
  const { print, signal } = environment;
  const all = runNames(config).length;
  if (left.length === 0) {
    await ranks.order(null);
    print(
      `${out} already holds all that this asks for (${formatCount(all, 'run')}); here are its results.`,
    );
    print('To measure again, add --force (it replaces them), or choose another folder with --out.');
    return [];
  }
  const { backend, progress, lostThreads } =
    machine ?? (await startMachine(textSetting(config.settings, 'backend'), environment));
  const strategyCount = formatCount(config.strategies.length, 'strategy', 'strategies');
  const seedCount = formatCount(config.seeds.length, 'seed');
  print(`${experiment.title}: ${strategyCount}, ${seedCount}, into ${out}`);
  print(`Backend: ${backend.name} (${backend.reason})`);
  for (const line of ranks.introduction) print(line);
  if (left.length < all) {
    print(
      `${formatCount(all - left.length, 'run')} of ${all} finished before and kept; going on with the rest.`,
    );
  }
  signal.addEventListener('abort', () =>
    progress.note('Stopping after this step. Ctrl-C once more stops at once.'),
  );
  return trainRuns({ ...asked, config: whole }, left, {
    ...{ folder, files, tensorboard, compile, ranks, progress, signal },
    backend: backend.name,
    lostThreads: lostThreads.reasons,
  });
}
