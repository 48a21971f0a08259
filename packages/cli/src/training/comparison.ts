import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { tensorBoard } from '@multigrad/callbacks';
import type { MeasuredCommunicator } from '@multigrad/distributed';
import { inspector } from '../analysis/inspector.ts';
import type { Progress } from '../progress/progress.ts';
import type { Recipe } from '../experiments/recipe.ts';
import type { ChosenStrategy } from '../strategies/catalog.ts';
import type { ComparisonConfig } from '../runs/config.ts';
import { communicationText } from './ranks/communication-text.ts';
import { orderRun } from './ranks/follow-run.ts';
import { checkpointsFolder, openRun, readRuns, runFolder } from '../runs/output-folder.ts';
import { type RunName, runNames } from '../runs/run-names.ts';
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
  /** Whether networks are looked at between epochs. */
  readonly analyze: boolean;
  /** Whether each run's folder gets TensorBoard event files too. */
  readonly tensorboard: boolean;
  /** The ranks that train together, of which this is the first. */
  readonly ranks?: MeasuredCommunicator;
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
export function openRuns(
  folder: string,
  config: ComparisonConfig,
  whole: ComparisonConfig = config,
): RunName[] {
  const key = ({ strategy, seed, lr }: Omit<RunName, 'name'>): string =>
    JSON.stringify([strategy, seed, lr]);
  const finished = new Set(
    readRuns(folder, whole)
      .filter(({ result }) => result?.status === 'finished' || result?.status === 'refused')
      .map(key),
  );
  const asked = new Set(runNames(config).map(key));
  return runNames(whole).filter((run) => asked.has(key(run)) && !finished.has(key(run)));
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
  const { recipe, config, whole, folder, backend, tensorboard } = comparison;
  const open = openRuns(folder, config, whole);
  const failures: string[] = [];
  progress.begin(open.length);
  try {
    for (const { strategy: specifier, seed, lr, name } of open) {
      if (signal.aborted) break;
      const { ranks } = comparison;
      if (ranks !== undefined) await orderRun(ranks, { lr, seed });
      const strategy = comparison.strategies.find((one) => one.specifier === specifier)!;
      const writer = openRun(folder, name);
      const events = join(runFolder(folder, name), 'tensorboard');
      // A run that has event files goes on with them.
      const watched = tensorboard || existsSync(events);
      const callbacks = watched ? [tensorBoard(events, { now: () => Date.now() })] : [];
      const result = await trainRun(
        { recipe, settings: { ...config.settings, lr }, strategy, seed, backend },
        {
          writer,
          progress,
          signal,
          callbacks,
          checkpoints: checkpointsFolder(folder, name),
          ...(ranks === undefined ? {} : { ranks }),
          ...(comparison.analyze ? { inspect: inspector(config.settings, seed, signal) } : {}),
        },
      );
      writer.end(result);
      progress.runEnd(result);
      if (result.communication !== undefined)
        progress.note(communicationText(result.communication));
      if (result.error && result.status === 'failed')
        failures.push(`${specifier}, seed ${seed}: ${result.error.message}`);
    }
  } finally {
    progress.end();
  }
  return { skipped: runNames(config).length - open.length, failures };
}
