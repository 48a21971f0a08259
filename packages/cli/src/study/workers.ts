import { spawn } from 'node:child_process';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Environment } from '../shared/environment.ts';
import { exitCodes } from '../shared/exit-codes.ts';
import type { Sitting } from './run-study.ts';

/** This program. */
const program = fileURLToPath(new URL('../../bin/multigrad.js', import.meta.url));

/** What the processes of a study are told beside the sitting. */
export interface WorkerOptions {
  readonly only?: string;
  readonly rows?: string;
  readonly path?: readonly string[];
  readonly force?: true;
}

/**
 * Runs a study by several processes of this program, which claim run after run, and passes on what they print.
 *
 * A worker whose parent is gone ends by itself, with a checkpoint: nobody reads what it prints.
 *
 * This waits for as long as workers run, without a time-out: a run may rightly take days, and to end one that merely looks stuck
 * would throw its work away. A worker that has printed nothing for {@link silentMinutes} minutes is reported, again and again, so that
 * a person can decide; a worker that dies is noticed at once.
 *
 * @returns a sentence for each process that failed
 */
export async function runWorkers(
  file: string,
  { only, rows, path = [], force }: WorkerOptions,
  { backend, threads, maxMinutes, workers }: Sitting,
  environment: Environment,
): Promise<string[]> {
  const args = [
    ...['study', file, '--backend', backend, '--workers', '1'],
    ...(threads === null ? [] : ['--threads', String(threads)]),
    ...(maxMinutes === null ? [] : ['--max-minutes', String(maxMinutes)]),
    ...(only === undefined ? [] : ['--only', only]),
    ...(rows === undefined ? [] : ['--rows', rows]),
    ...path.flatMap((one) => ['--path', one]),
    ...(force === true ? ['--force'] : []),
  ];
  const ended = await Promise.all(
    Array.from({ length: workers }, (_, index) => runWorker(`${index + 1}`, args, environment)),
  );
  return ended.filter((failure) => failure !== null);
}

/** After how many minutes without a line a worker is reported; an epoch, after which it prints one, may take long. */
export const silentMinutes = 15;

/** Reports a silence that lasts, and again each time it has lasted as long once more. */
export function watchSilence(report: (minutes: number) => void): {
  readonly heard: () => void;
  readonly end: () => void;
} {
  let silent = 0;
  const timer = setInterval(() => {
    silent += silentMinutes;
    report(silent);
  }, 60_000 * silentMinutes);
  return {
    heard: () => {
      silent = 0;
      timer.refresh();
    },
    end: () => clearInterval(timer),
  };
}

/** @returns why it failed, or null */
async function runWorker(
  name: string,
  args: readonly string[],
  { folder, print, complain, signal }: Environment,
): Promise<string | null> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [program, ...args], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
      // Ctrl-C on a terminal reaches all processes of a group: these get it once, from here.
      detached: true,
      windowsHide: true,
    });
    const stop = (): void => {
      child.kill('SIGINT');
    };
    signal.addEventListener('abort', stop);
    const silence = watchSilence((minutes) =>
      complain(
        `worker ${name} (process ${child.pid ?? 'not started'}) has printed nothing for ${minutes} minutes. A long epoch, or it hangs: ` +
          'Ctrl-C ends all with their checkpoints, and the same command goes on.',
      ),
    );
    createInterface(child.stdout).on('line', (line) => {
      silence.heard();
      print(`${name}: ${line}`);
    });
    createInterface(child.stderr).on('line', (line) => {
      silence.heard();
      complain(`${name}: ${line}`);
    });
    child.on('error', (error) => {
      silence.end();
      signal.removeEventListener('abort', stop);
      resolve(`worker ${name} did not start: ${error.message}`);
    });
    child.on('close', (code, killed) => {
      silence.end();
      signal.removeEventListener('abort', stop);
      const sound = code === exitCodes.success || code === exitCodes.interrupted;
      resolve(sound ? null : `worker ${name} ended with ${killed ?? `code ${String(code)}`}.`);
    });
  });
}
