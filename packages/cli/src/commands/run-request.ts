import { resolve } from 'node:path';
import { nodeFiles } from '@multigrad/core/files';
import { enableProdMode } from '@tensorflow/tfjs-core';
import picocolors from 'picocolors';
import { useBackend } from '@multigrad/backends';
import type { Environment } from '../shared/environment.ts';
import { barProgress } from '../progress/bars.ts';
import { lineProgress } from '../progress/lines.ts';
import type { Progress } from '../progress/progress.ts';
import { openRuns, runComparison } from '../training/comparison.ts';
import type { ComparisonConfig } from '../runs/config.ts';
import { openOutputFolder } from '../runs/output-folder.ts';
import { checkRanks, followRun, orderRun } from '../training/ranks/follow-run.ts';
import { runNames } from '../runs/run-names.ts';
import type { CompareRequest } from '../training/request.ts';
import { type ChosenStrategy, chooseStrategies } from '../strategies/catalog.ts';
import { formatCount } from '../shared/wording.ts';
import { LostThreads } from '../progress/lost-threads.ts';
import { version } from '../shared/version.ts';
import { exitCodes } from '../shared/exit-codes.ts';
import { quoted, resultLines, writeOutputs } from '../report/outputs.ts';

/** What ended a command before its time. */
function interruptionOf({ reason }: AbortSignal): string {
  return typeof reason === 'string' ? `Interrupted, ${reason}` : 'Interrupted';
}

function progressOf({ terminal, print }: Environment): Progress {
  if (terminal === null) return lineProgress(print);
  return barProgress(
    terminal,
    picocolors.createColors(picocolors.isColorSupported),
    () => performance.now() / 1000,
  );
}

/**
 * Trains every strategy with every seed and writes tables and a report, also of what there is after an interruption.
 *
 * @returns the exit code
 * @throws MultigradError for anything wrong with the request, before any training
 */
export async function runRequest(
  request: CompareRequest,
  environment: Environment,
): Promise<number> {
  const { recipe, settings } = request;
  const { ranks } = environment;
  if (ranks !== undefined) await checkRanks(ranks, request, environment.folder);
  const strategies = await chooseStrategies(recipe, request.strategies, environment.folder);
  if (ranks !== undefined && ranks.rank > 0) {
    return followRun(request, strategies[0]!, ranks, environment);
  }
  const config: ComparisonConfig = {
    format: 1,
    version,
    recipe: recipe.name,
    strategies: request.strategies,
    seeds: request.seeds,
    settings,
  };
  const folder = resolve(environment.folder, request.out);
  const { files = nodeFiles } = environment;
  const open = await openOutputFolder(folder, config, request.force, files);
  try {
    return await runInto(folder, config, open.config, strategies, request, environment);
  } finally {
    await open.release();
  }
}

/**
 * Does the runs that a folder lacks, then its tables and report.
 *
 * @param whole - the folder's configuration, of which `config` is a part
 */
async function runInto(
  folder: string,
  config: ComparisonConfig,
  whole: ComparisonConfig,
  strategies: readonly ChosenStrategy[],
  request: CompareRequest,
  environment: Environment,
): Promise<number> {
  const { recipe, settings, tensorboard } = request;
  const { print, complain, signal, files = nodeFiles, draw } = environment;
  const left = (await openRuns(folder, config, whole, files)).length;
  const all = runNames(config).length;
  let failures: readonly string[] = [];
  if (left === 0) {
    if (environment.ranks !== undefined) await orderRun(environment.ranks, null);
    print(
      `${request.out} already holds all that this asks for (${formatCount(all, 'run')}); here are its results.`,
    );
    print('To measure again, add --force (it replaces them), or choose another folder with --out.');
  } else {
    // Without it the cpu backend would advertise another package.
    enableProdMode();
    const progress = progressOf(environment);
    const lostThreads = new LostThreads((text) => progress.note(text));
    const backend = await useBackend(settings['backend'] as string, lostThreads);
    const strategyCount = formatCount(config.strategies.length, 'strategy', 'strategies');
    const seedCount = formatCount(config.seeds.length, 'seed');
    print(`${recipe.title}: ${strategyCount}, ${seedCount}, into ${request.out}`);
    print(`Backend: ${backend.name} (${backend.reason})`);
    const { ranks } = environment;
    if (ranks !== undefined) print(`${formatCount(ranks.size, 'rank')} of MPI train together.`);
    if (left < all) {
      print(
        `${formatCount(all - left, 'run')} of ${all} finished before and kept; going on with the rest.`,
      );
    }
    signal.addEventListener('abort', () =>
      progress.note('Stopping after this step. Ctrl-C once more stops at once.'),
    );
    const comparison = {
      ...{ recipe, config, whole, strategies, folder, tensorboard, files },
      backend: backend.name,
      lostThreads: lostThreads.reasons,
      analyze: request.analyze,
      ...(ranks === undefined ? {} : { ranks }),
    };
    ({ failures } = await runComparison(comparison, progress, signal));
  }
  const summary = await writeOutputs(folder, request.out, files, draw);
  for (const line of resultLines(request.out, summary)) print(line);
  for (const failure of failures) complain(`Failed: ${failure}`);
  if (signal.aborted) {
    complain(
      `${interruptionOf(signal)}: what was measured is kept, and the training up to its last step. ` +
        `Go on with \`multigrad resume ${quoted(request.out)}\`.`,
    );
    return exitCodes.interrupted;
  }
  return failures.length > 0 ? exitCodes.failure : exitCodes.success;
}
