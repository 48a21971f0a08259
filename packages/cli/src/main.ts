import process from 'node:process';
import { exitCodes } from './shared/exit-codes.ts';
import { runCommandLine } from './command-line.ts';
import type { Environment } from './shared/environment.ts';
import { isStartedByMpi } from './shared/started-by-mpi.ts';
import { MultigradError } from '@multigrad/core/strategy';

const interruption = new AbortController();

function interrupt(): void {
  // The second time the user does not want to wait for the step.
  if (interruption.signal.aborted) process.exit(exitCodes.interrupted);
  interruption.abort();
}

process.on('SIGINT', interrupt);
process.on('SIGTERM', interrupt);
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // Whoever read the output (`| head`) has seen enough.
  if (error.code === 'EPIPE') process.exit(exitCodes.success);
  throw error;
});

const surroundings: Environment = {
  terminal: process.stdout.isTTY ? process.stdout : null,
  print: (line) => process.stdout.write(`${line}\n`),
  complain: (line) => process.stderr.write(`${line}\n`),
  folder: process.cwd(),
  signal: interruption.signal,
};

const run = async (environment: Environment): Promise<number> =>
  runCommandLine(process.argv.slice(2), environment);

try {
  if (isStartedByMpi()) {
    const { runRank } = await import('./training/ranks/run-rank.ts');
    process.exitCode = await runRank(surroundings, run);
  } else {
    process.exitCode = await run(surroundings);
  }
} catch (error) {
  if (!MultigradError.isInstance(error)) throw error;
  surroundings.complain(`error: ${error.message}`);
  process.exitCode = exitCodes.failure;
}
