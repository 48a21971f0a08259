import { useBackend } from '@multigrad/backends';
import { assertAlike, broadcastJson, type MeasuredCommunicator } from '@multigrad/distributed';
import { MultigradError } from '@multigrad/core/strategy';
import { enableProdMode } from '@tensorflow/tfjs-core';
import type { CompareRequest } from '../request.ts';
import { exitCodes } from '../../shared/exit-codes.ts';
import type { Environment } from '../../shared/environment.ts';
import { LostThreads } from '../../progress/lost-threads.ts';
import type { Progress } from '../../progress/progress.ts';
import { noWriter } from '../../runs/run-writer.ts';
import { trainRun } from '../train-run.ts';
import type { ChosenStrategy } from '../../strategies/catalog.ts';
import { version } from '../../shared/version.ts';
import { codeFingerprint } from './code-fingerprint.ts';
import { learningRates, numberSetting } from '../../runs/settings.ts';

/** What the first rank tells the others to train; null for nothing. */
export type RunOrder = { readonly lr: number; readonly seed: number } | null;

/**
 * Checks that this is something for several ranks, and that all ranks were asked for the same.
 *
 * @throws MultigradError `unsupported` for more than one run, `invalid-option` for batches too small,
 *   `structure-changed` where ranks differ
 */
export async function checkRanks(
  ranks: MeasuredCommunicator,
  request: CompareRequest,
  folder: string,
): Promise<void> {
  const { recipe, strategies, seeds, settings, analyze } = request;
  await assertAlike(ranks, {
    version,
    code: codeFingerprint(strategies, folder),
    options: { experiment: recipe.name, strategies, seeds, ...settings },
  });
  const runs = strategies.length * seeds.length * learningRates(settings).length;
  if (analyze || runs !== 1) {
    throw new MultigradError(
      'unsupported',
      `Several ranks train one network: use \`multigrad train\` under mpirun. Found ${analyze ? 'an analysis' : `${runs} runs`}.`,
    );
  }
  const batch = numberSetting(settings, 'batch-size');
  if (batch >= ranks.size) return;
  throw new MultigradError(
    'invalid-option',
    `Option \`batch-size\` should be at least the number of ranks, ${ranks.size}. Found ${batch}.`,
  );
}

/** Gives the other ranks their order. */
export async function orderRun(ranks: MeasuredCommunicator, order: RunOrder): Promise<void> {
  await broadcastJson(ranks, order);
}

/**
 * The part of a rank that is not the first: it trains what it is told, and writes nothing.
 *
 * @returns the exit code
 */
export async function followRun(
  { recipe, settings }: CompareRequest,
  strategy: ChosenStrategy,
  ranks: MeasuredCommunicator,
  { signal, complain }: Environment,
): Promise<number> {
  enableProdMode();
  const lostThreads = new LostThreads((text) => complain(`Rank ${ranks.rank}: ${text}`));
  const backend = await useBackend(settings['backend'] as string, lostThreads);
  const order = await broadcastJson<NonNullable<RunOrder>>(ranks, null);
  if ((order as RunOrder) === null) return exitCodes.success;
  const { lr, seed } = order;
  const { status, error } = await trainRun(
    { recipe, settings: { ...settings, lr }, strategy, seed, backend: backend.name },
    { writer: noWriter, progress: silence, signal, checkpoints: null, ranks },
  );
  if (status === 'finished') return exitCodes.success;
  if (status === 'stopped') return exitCodes.interrupted;
  complain(error?.message ?? status);
  return exitCodes.failure;
}

const nothing = (): void => undefined;

const silence: Progress = {
  begin: nothing,
  runBegin: nothing,
  step: nothing,
  evaluating: nothing,
  epochEnd: nothing,
  runEnd: nothing,
  note: nothing,
  end: nothing,
};
