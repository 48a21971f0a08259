import { measured, type MeasuredCommunicator } from '@multigrad/distributed';
import { exitCodes } from '../../shared/exit-codes.ts';
import type { Environment } from '../../shared/environment.ts';
import { communicatingRanks } from './communicating-ranks.ts';
import type { Ranks } from './ranks.ts';
import { solo } from './solo.ts';

/** Time that a failing rank waits before it prints its error, in ms: rank 0 may have the same error and print it. */
const deference = 1000;

/** A command, as one rank runs it; returns the exit code. */
type RankCommand = (environment: Environment, ranks: Ranks) => Promise<number>;

/**
 * Runs a command as one of several ranks. The first one alone prints; whichever fails says why, and ends them all.
 *
 * @returns the exit code, where all ranks end by themselves
 */
export async function runRank(environment: Environment, run: RankCommand): Promise<number> {
  const { openRanks } = await import('@multigrad/distributed/node');
  return asRank(
    measured(await openRanks(), () => performance.now()),
    environment,
    run,
  );
}

/** Runs a command as the rank of an open communicator; with one rank alone, as a process without MPI does. */
export async function asRank(
  communicator: MeasuredCommunicator,
  environment: Environment,
  run: RankCommand,
): Promise<number> {
  const { rank, size } = communicator;
  // Under a launcher the output may look like a terminal without being one.
  const heard: Environment = { ...environment, terminal: null };
  if (size === 1) {
    const exitCode = await run(heard, solo);
    await communicator.close();
    return exitCode;
  }
  const complaints: string[] = [];
  const own: Environment =
    rank === 0
      ? heard
      : { ...heard, print: () => undefined, complain: (line) => void complaints.push(line) };
  let exitCode: number = exitCodes.failure;
  try {
    exitCode = await run(own, communicatingRanks(communicator));
  } catch (error) {
    own.complain(error instanceof Error ? (error.stack ?? error.message) : String(error));
  }
  if (exitCode === exitCodes.success || exitCode === exitCodes.interrupted) {
    await communicator.close();
    return exitCode;
  }
  if (rank > 0) {
    await new Promise((resolve) => setTimeout(resolve, deference));
    for (const line of complaints) environment.complain(`rank ${rank}: ${line}`);
  }
  communicator.abort(exitCode);
  return exitCode;
}
