import { useBackend } from '@multigrad/backends';
import { enableProdMode } from '@tensorflow/tfjs-core';
import { LostThreads } from '../../progress/lost-threads.ts';
import type { Progress } from '../../progress/progress.ts';
import { noWriter } from '../../runs/run-writer.ts';
import { textSetting } from '../../runs/settings.ts';
import type { Environment } from '../../shared/environment.ts';
import { exitCodes } from '../../shared/exit-codes.ts';
import { noCheckpoints } from '../checkpoints.ts';
import type { Comparison } from '../comparison.ts';
import { trainRun } from '../train-run.ts';
import type { Ranks } from './ranks.ts';

/**
 * The part of a rank that does not lead: it trains what the leading rank orders, and writes nothing.
 *
 * @param compile - whether backward passes follow plans
 * @returns the exit code
 */
export async function followRun(
  comparison: Comparison,
  ranks: Ranks,
  compile: boolean,
  { signal, complain }: Environment,
): Promise<number> {
  const { strategies, settings } = comparison.config;
  enableProdMode();
  const lostThreads = new LostThreads((text) => complain(`Rank ${ranks.rank}: ${text}`));
  const backend = await useBackend(textSetting(settings, 'backend'), {
    onThreadLost: lostThreads.onThreadLost,
  });
  const order = await ranks.order(null);
  if (order === null) return exitCodes.success;
  const { status, error } = await trainRun(
    comparison,
    { strategy: strategies[0]!, ...order },
    {
      ...{ backend: backend.name, signal, ranks, compile },
      ...{ writer: noWriter, progress: silence, checkpoints: noCheckpoints },
    },
  );
  if (status === 'finished') return exitCodes.success;
  if (status === 'stopped') return exitCodes.interrupted;
  complain(error?.message ?? status);
  return exitCodes.failure;
}

const nothing = (): void => undefined;

/** Shows nothing. */
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
