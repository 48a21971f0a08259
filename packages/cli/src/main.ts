import process from 'node:process';
import { launcherOf } from '@multigrad/distributed/node';
import { exitCodes } from './shared/exit-codes.ts';
import { runAsRank } from './command-line.ts';
import type { Environment } from './shared/environment.ts';
import { Interruption } from './shared/interruption.ts';
import { listenForInterruption } from './shared/listen-for-interruption.ts';
import { visible } from './shared/visible.ts';
import type { Ranks } from './training/ranks/ranks.ts';
import { solo } from './training/ranks/solo.ts';
import { MultigradError } from '@multigrad/core/strategy';

const interruption = new Interruption(
  () => performance.now(),
  () => process.exit(exitCodes.interrupted),
);

function reasonOf({ code, message }: NodeJS.ErrnoException): string {
  const why = code === 'EPIPE' ? 'nobody reads the output any longer' : 'the output failed';
  return `${why} (${code ?? message})`;
}

/** The error with which writing to the output failed; null while it works. */
let unheard: NodeJS.ErrnoException | null = null;

listenForInterruption(interruption);
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // Each write to a broken output fails again.
  if (unheard !== null) return;
  unheard = error;
  // The reader of the output (`| head`) has left, or the disk of a log is full: the command ends as after Ctrl-C.
  interruption.end(reasonOf(error));
});
process.on('exit', (code) => {
  // The command succeeded but its last lines are lost. A reader that closed the output (EPIPE) did not want them.
  if (code !== exitCodes.success || unheard === null || unheard.code === 'EPIPE') return;
  surroundings.complain(`error: ${reasonOf(unheard)}: the last of what was printed is not in it.`);
  process.exitCode = exitCodes.failure;
});
// A failure to write errors cannot be reported anywhere.
process.stderr.on('error', () => undefined);

const surroundings: Environment = {
  terminal: process.stdout.isTTY ? process.stdout : null,
  print: (line) => {
    if (unheard === null) process.stdout.write(`${line}\n`);
  },
  complain: (line) => process.stderr.write(`${line}\n`),
  folder: process.cwd(),
  signal: interruption.signal,
};

const run = async (environment: Environment, ranks: Ranks): Promise<number> =>
  runAsRank(process.argv.slice(2), environment, ranks);

try {
  if (launcherOf(process.env) !== null) {
    const { runRank } = await import('./training/ranks/run-rank.ts');
    process.exitCode = await runRank(surroundings, run);
  } else {
    process.exitCode = await run(surroundings, solo);
  }
} catch (error) {
  if (!MultigradError.isInstance(error)) throw error;
  surroundings.complain(visible(`error: ${error.message}`));
  process.exitCode = exitCodes.failure;
}
