import { rmSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as pause } from 'node:timers/promises';
import { startMpi } from './mpirun.ts';
import { ranksBelow } from './processes.ts';
import { measuredIn, training } from './training.ts';

/** What became of a job one of whose ranks was killed. */
export interface Kill {
  /** When, in seconds after the start. */
  readonly after: number;
  /** Which rank was killed, by its place among the processes; null where the job had ended before. */
  readonly rank: number | null;
  readonly exitCode: number | null;
  /** Seconds from the kill to the end of the job. */
  readonly took: number;
  /** Whether the run that went on afterwards measured what one without a fault does. */
  readonly same: boolean;
}

/** The run without a fault. */
export async function undisturbed(
  folder: string,
  ranks: number,
): Promise<{ readonly seconds: number; readonly losses: string }> {
  const out = join(folder, 'undisturbed');
  const { exitCode, errors, seconds } = await startMpi(['-n', String(ranks), ...training(out)])
    .ended;
  if (exitCode !== 0) throw new Error(errors);
  return { seconds, losses: JSON.stringify(measuredIn(out).losses) };
}

/**
 * Kills one rank of a job with SIGKILL, waits for the job's end, and lets the same command go on.
 *
 * @param share - when, as a share of the undisturbed run's time
 */
export async function killOne(
  folder: string,
  ranks: number,
  rank: number,
  share: number,
  expected: { readonly seconds: number; readonly losses: string },
): Promise<Kill> {
  const out = join(folder, `kill-${share.toFixed(4)}`);
  const job = startMpi(['-n', String(ranks), ...training(out)]);
  const after = share * expected.seconds;
  await pause(1000 * after);
  const victim = ranksBelow(job.pid)[rank];
  const began = performance.now();
  if (victim !== undefined) process.kill(victim, 'SIGKILL');
  const { exitCode } = await job.ended;
  const took = (performance.now() - began) / 1000;
  const again = await startMpi(['-n', String(ranks), ...training(out)]).ended;
  if (again.exitCode !== 0) throw new Error(again.errors);
  const same = JSON.stringify(measuredIn(out).losses) === expected.losses;
  rmSync(out, { recursive: true });
  return { after, rank: victim === undefined ? null : rank, exitCode, took, same };
}
