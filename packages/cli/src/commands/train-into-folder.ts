import { resolve } from 'node:path';
import { useBackend } from '@multigrad/backends';
import { type Files, nodeFiles } from '@multigrad/core/files';
import { enableProdMode } from '@tensorflow/tfjs-core';
import picocolors from 'picocolors';
import { recipeOf } from '../analysis/recipe-of.ts';
import { barProgress } from '../progress/bars.ts';
import { lineProgress } from '../progress/lines.ts';
import { LostThreads } from '../progress/lost-threads.ts';
import type { Progress } from '../progress/progress.ts';
import { quoted, resultLines, writeOutputs } from '../report/outputs.ts';
import { type ComparisonConfig, titled } from '../runs/config.ts';
import { openOutputFolder } from '../runs/output-folder.ts';
import { type RunName, runNames } from '../runs/run-names.ts';
import { textSetting } from '../runs/settings.ts';
import type { Environment } from '../shared/environment.ts';
import { exitCodes } from '../shared/exit-codes.ts';
import { formatCount } from '../shared/wording.ts';
import { chooseStrategies, outsideTitles } from '../strategies/catalog.ts';
import type { Comparison } from '../training/comparison.ts';
import { openRuns } from '../training/open-runs.ts';
import { followRun } from '../training/ranks/follow-run.ts';
import { trainRuns } from '../training/train-runs.ts';
import type { CommandContext } from './command.ts';

/** Where the user wants results, and what happens to those that are there. */
export interface Output {
  /** Output folder, relative to the environment's folder. */
  readonly out: string;
  /** Whether results that the folder holds are replaced. */
  readonly force: boolean;
  /** Whether each run's folder gets TensorBoard event files too. */
  readonly tensorboard: boolean;
}

type TrainingContext = Pick<CommandContext, 'environment' | 'ranks'>;

/**
 * Trains the runs of a configuration that its folder lacks, and writes tables and a report of all that the folder holds,
 * also after an interruption.
 *
 * @returns the exit code
 * @throws MultigradError for anything wrong with what is asked for, before any training
 */
export async function trainIntoFolder(
  given: ComparisonConfig,
  output: Output,
  context: TrainingContext,
): Promise<number> {
  const { environment, ranks } = context;
  const recipe = recipeOf(given);
  await ranks.check(given, environment.folder);
  const strategies = await chooseStrategies(recipe, given.strategies, environment.folder);
  const config = { ...given, ...titled({ ...given.titles, ...outsideTitles(recipe, strategies) }) };
  const asked: Comparison = { config, recipe, strategies };
  if (!ranks.leads) return followRun(asked, ranks, environment);
  const folder = resolve(environment.folder, output.out);
  const { files = nodeFiles, signal, print, complain, draw } = environment;
  const opened = await openOutputFolder(folder, config, output.force, files);
  try {
    const whole = opened.config;
    const left = await openRuns(folder, config, whole, files);
    const failures = await train(asked, whole, left, { ...output, folder, files }, context);
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

/** An output folder that is open. */
interface OpenOutput extends Output {
  /** Its path. */
  readonly folder: string;
  readonly files: Files;
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
  { out, folder, files, tensorboard }: OpenOutput,
  { environment, ranks }: TrainingContext,
): Promise<readonly string[]> {
  const { config, recipe } = asked;
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
  // Without it the cpu backend prints an advertisement of another package.
  enableProdMode();
  const progress = progressOf(environment);
  const lostThreads = new LostThreads((text) => progress.note(text));
  const backend = await useBackend(textSetting(config.settings, 'backend'), lostThreads);
  const strategyCount = formatCount(config.strategies.length, 'strategy', 'strategies');
  const seedCount = formatCount(config.seeds.length, 'seed');
  print(`${recipe.title}: ${strategyCount}, ${seedCount}, into ${out}`);
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
    ...{ folder, files, tensorboard, ranks, progress, signal },
    backend: backend.name,
    lostThreads: lostThreads.reasons,
  });
}

function progressOf({ terminal, print }: Environment): Progress {
  if (terminal === null) return lineProgress(print);
  return barProgress(
    terminal,
    picocolors.createColors(picocolors.isColorSupported),
    () => performance.now() / 1000,
  );
}

/** The words for why a command was interrupted. */
function interruptionOf({ reason }: AbortSignal): string {
  return typeof reason === 'string' ? `Interrupted, ${reason}` : 'Interrupted';
}
