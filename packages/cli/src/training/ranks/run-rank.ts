import { measured, type MeasuredCommunicator } from '@multigrad/distributed';
import { exitCodes } from '../../shared/exit-codes.ts';
import type { Environment } from '../../shared/environment.ts';

/** How long a rank that failed by itself leaves the word to the first one, whose error may be the same, in ms. */
const deference = 1000;

/**
 * Runs a command as one of several ranks. The first one alone talks; whichever fails says why, and ends them all.
 *
 * @param run - the command
 * @returns the exit code, where all ranks end by themselves
 */
export async function runRank(
  environment: Environment,
  run: (environment: Environment) => Promise<number>,
): Promise<number> {
  // What is not asked for is not loaded: the library of MPI may not be there.
  const { openMpi } = await import('@multigrad/distributed/open-mpi');
  return asRank(
    measured(openMpi(), () => performance.now()),
    environment,
    run,
  );
}

/** The same with ranks that are there; one by itself is a process like any other. */
export async function asRank(
  ranks: MeasuredCommunicator,
  environment: Environment,
  run: (environment: Environment) => Promise<number>,
): Promise<number> {
  const { rank } = ranks;
  if (ranks.size === 1) {
    const exitCode = await run(environment);
    await ranks.close();
    return exitCode;
  }
  const complaints: string[] = [];
  const own: Environment =
    rank === 0
      ? // Launchers pass a terminal on where there is none.
        { ...environment, ranks, terminal: null }
      : {
          ...environment,
          ranks,
          terminal: null,
          print: () => undefined,
          complain: (line) => void complaints.push(line),
        };
  let exitCode: number = exitCodes.failure;
  try {
    exitCode = await run(own);
  } catch (error) {
    own.complain(error instanceof Error ? (error.stack ?? error.message) : String(error));
  }
  if (exitCode === exitCodes.success || exitCode === exitCodes.interrupted) {
    await ranks.close();
    return exitCode;
  }
  if (rank > 0) {
    await new Promise((resolve) => setTimeout(resolve, deference));
    for (const line of complaints) environment.complain(`rank ${rank}: ${line}`);
  }
  ranks.abort(exitCode);
  return exitCode;
}
