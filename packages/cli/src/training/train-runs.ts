import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { tensorBoard } from '@multigrad/callbacks';
import type { Files } from '@multigrad/core/files';
import { inspector } from '../analysis/inspector.ts';
import type { Progress } from '../progress/progress.ts';
import { compilationText } from '../runs/compilation.ts';
import { checkpointsFolder, runFolder } from '../runs/folder-layout.ts';
import type { RunResult } from '../runs/records.ts';
import type { RunName } from '../runs/run-names.ts';
import { openRun } from '../runs/run-writer.ts';
import { settingsOfRun } from '../runs/settings.ts';
import { openCheckpoints } from './checkpoints.ts';
import type { Comparison } from './comparison.ts';
import type { Ranks } from './ranks/ranks.ts';
import { trainRun } from './train-run.ts';

/** What the runs of a comparison have in common beside their configuration. */
export interface TrainingSite {
  /** The output folder, open and locked. */
  readonly folder: string;
  readonly files: Files;
  /** Name of the TensorFlow.js backend in use. */
  readonly backend: string;
  /** Why threads of the backend were lost so far; it grows while runs are made. */
  readonly lostThreads: readonly string[];
  /** Whether each run's folder gets TensorBoard event files; a run that has some goes on with them anyway. */
  readonly tensorboard: boolean;
  /** Whether backward passes follow plans. */
  readonly compile: boolean;
  readonly ranks: Ranks;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/**
 * Trains runs one after the other into their folders. A run that fails does not hold up the others.
 *
 * @param runs - those of the comparison that are left to do
 * @returns what went wrong, a sentence for each failed run
 * @throws MultigradError `io` where the records cannot be written
 */
export async function trainRuns(
  comparison: Comparison,
  runs: readonly RunName[],
  site: TrainingSite,
): Promise<readonly string[]> {
  const { progress, signal, ranks } = site;
  const failures: string[] = [];
  progress.begin(runs.length);
  try {
    for (const run of runs) {
      if (signal.aborted) break;
      await ranks.order({ lr: run.lr, seed: run.seed });
      const result = await trainAndRecord(comparison, run, site);
      progress.runEnd(result);
      for (const line of ranks.summary(result)) progress.note(line);
      if (site.compile && Object.keys(result.compilation?.plain ?? {}).length > 0)
        progress.note(`  backward passes: ${compilationText(result.compilation!)}`);
      if (result.error && result.status === 'failed') {
        failures.push(`${run.strategy}, seed ${run.seed}: ${result.error.message}`);
      }
    }
  } finally {
    progress.end();
  }
  return failures;
}

/** Trains one run into its folder, and writes down how it ended. */
async function trainAndRecord(
  comparison: Comparison,
  run: RunName,
  site: TrainingSite,
): Promise<RunResult> {
  const { config } = comparison;
  const { folder, files, backend, lostThreads, tensorboard, compile, ranks, progress, signal } =
    site;
  const { strategy, seed, name } = run;
  const path = runFolder(folder, name);
  const events = join(path, 'tensorboard');
  const watched = tensorboard || existsSync(events);
  const settings = settingsOfRun(config.settings, run);
  const writer = await openRun(files, path);
  let result: RunResult;
  try {
    const ended = await trainRun(comparison, run, {
      ...{ backend, writer, progress, signal, ranks, compile },
      callbacks: watched ? [tensorBoard(events)] : [],
      checkpoints: openCheckpoints(
        checkpointsFolder(folder, name),
        { experiment: config.experiment, strategy, seed, backend, settings },
        (text) => progress.note(text),
        files,
      ),
      ...(config.command === 'analyze' ? { inspect: inspector(settings, seed, signal) } : {}),
    });
    result = lostThreads.length === 0 ? ended : { ...ended, lostThreads: [...lostThreads] };
    await writer.end(result);
  } catch (error) {
    // The first error says what happened.
    await writer.close().catch(() => undefined);
    throw error;
  }
  await writer.close();
  return result;
}
