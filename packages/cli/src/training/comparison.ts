import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { tensorBoard } from '@multigrad/callbacks';
import type { Files } from '@multigrad/core/files';
import type { MeasuredCommunicator } from '@multigrad/distributed';
import { inspector } from '../analysis/inspector.ts';
import type { Progress } from '../progress/progress.ts';
import type { Recipe } from '../experiments/recipe.ts';
import type { ChosenStrategy } from '../strategies/catalog.ts';
import type { ComparisonConfig } from '../runs/config.ts';
import { communicationText } from './ranks/communication-text.ts';
import { orderRun } from './ranks/follow-run.ts';
import { checkpointsFolder, runFolder } from '../runs/folder-layout.ts';
import { readResult } from '../runs/read-folder.ts';
import type { RunResult } from '../runs/records.ts';
import { type RunName, runNames } from '../runs/run-names.ts';
import { openRun } from '../runs/run-writer.ts';
import { trainRun } from './train-run.ts';

/** A comparison that is ready to run: everything checked, its folder open. */
export interface Comparison {
  readonly recipe: Recipe;
  /** What is asked for now. */
  readonly config: ComparisonConfig;
  /** What the folder holds and this adds to it; it decides the names of the runs' folders. */
  readonly whole: ComparisonConfig;
  readonly strategies: readonly ChosenStrategy[];
  readonly folder: string;
  readonly backend: string;
  /** Why threads of the backend were lost so far; it grows while runs are made. */
  readonly lostThreads: readonly string[];
  /** Whether networks are looked at between epochs. */
  readonly analyze: boolean;
  /** Whether each run's folder gets TensorBoard event files too. */
  readonly tensorboard: boolean;
  /** The ranks that train together, of which this is the first. */
  readonly ranks?: MeasuredCommunicator;
  readonly files: Files;
}

/** How a comparison ended. */
export interface ComparisonEnd {
  /** Runs that were finished before and left as they were. */
  readonly skipped: number;
  /** What went wrong, a sentence for each failed run. */
  readonly failures: readonly string[];
}

/**
 * The runs of a configuration that its folder does not hold as finished or refused.
 *
 * @param whole - the folder's configuration, of which `config` is a part
 */
export async function openRuns(
  folder: string,
  config: ComparisonConfig,
  whole: ComparisonConfig,
  files: Files,
): Promise<RunName[]> {
  const key = ({ strategy, seed, lr }: RunName): string => JSON.stringify([strategy, seed, lr]);
  const asked = new Set(runNames(config).map(key));
  const open: RunName[] = [];
  for (const run of runNames(whole)) {
    if (!asked.has(key(run))) continue;
    const result = await readResult(folder, run.name, files);
    if (result?.status !== 'finished' && result?.status !== 'refused') open.push(run);
  }
  return open;
}

/**
 * Runs every strategy with every seed, seed by seed, skipping what is finished; a run that fails does not hold up the
 * others.
 *
 * @throws MultigradError `io` where the records cannot be written
 */
export async function runComparison(
  comparison: Comparison,
  progress: Progress,
  signal: AbortSignal,
): Promise<ComparisonEnd> {
  const { config, whole, folder, files } = comparison;
  const open = await openRuns(folder, config, whole, files);
  const failures: string[] = [];
  progress.begin(open.length);
  try {
    for (const run of open) {
      if (signal.aborted) break;
      const { ranks } = comparison;
      if (ranks !== undefined) await orderRun(ranks, { lr: run.lr, seed: run.seed });
      const result = await takeRun(run, comparison, progress, signal);
      progress.runEnd(result);
      if (result.communication !== undefined)
        progress.note(communicationText(result.communication));
      if (result.error && result.status === 'failed') {
        failures.push(`${run.strategy}, seed ${run.seed}: ${result.error.message}`);
      }
    }
  } finally {
    progress.end();
  }
  return { skipped: runNames(config).length - open.length, failures };
}

/** Trains one run into its folder, and writes down how it ended. */
async function takeRun(
  { strategy: specifier, seed, lr, name }: RunName,
  comparison: Comparison,
  progress: Progress,
  signal: AbortSignal,
): Promise<RunResult> {
  const { recipe, config, whole, folder, backend, tensorboard, files, ranks } = comparison;
  const strategy = comparison.strategies.find((one) => one.specifier === specifier)!;
  const path = runFolder(folder, name);
  const events = join(path, 'tensorboard');
  // A run that has event files goes on with them.
  const watched = tensorboard || existsSync(events);
  const callbacks = watched ? [tensorBoard(events, { now: () => Date.now() })] : [];
  const settings = { ...config.settings, lr };
  const writer = await openRun(files, path);
  try {
    const ended = await trainRun(
      { recipe, settings, strategy, seed, backend, comparison: whole },
      {
        ...{ writer, progress, signal, callbacks, files },
        checkpoints: checkpointsFolder(folder, name),
        ...(ranks === undefined ? {} : { ranks }),
        ...(comparison.analyze ? { inspect: inspector(config.settings, seed, signal) } : {}),
      },
    );
    const { lostThreads } = comparison;
    const result = lostThreads.length === 0 ? ended : { ...ended, lostThreads: [...lostThreads] };
    await writer.end(result);
    return result;
  } finally {
    await writer.close();
  }
}
