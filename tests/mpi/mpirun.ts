import { spawn } from 'node:child_process';
import { join } from 'node:path';
import process from 'node:process';

/** The root of the repository. */
export const root: string = join(import.meta.dirname, '../..');

/** The command of the command-line package. */
export const multigrad: string = join(root, 'packages/cli/bin/multigrad.js');

/** How processes ended. */
export interface Ended {
  readonly exitCode: number | null;
  readonly output: string;
  readonly errors: string;
  readonly seconds: number;
}

/** A job of MPI under way. */
export interface Job {
  readonly pid: number;
  readonly ended: Promise<Ended>;
}

/** Open MPI refuses root, and more ranks than cores, unless told otherwise. */
export const mpiOptions: readonly string[] = [
  ...(process.getuid?.() === 0 ? ['--allow-run-as-root'] : []),
  '--oversubscribe',
];

/**
 * Starts `mpirun` with these arguments behind the options that tests need.
 *
 * @param before - a command that starts it
 */
export function startMpi(
  args: readonly string[],
  folder: string = root,
  before: readonly string[] = [],
): Job {
  const began = performance.now();
  const [command, ...all] = [...before, 'mpirun', ...mpiOptions, ...args];
  const child = spawn(command!, all, {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: '0' },
  });
  const texts = { output: '', errors: '' };
  child.stdout.on('data', (data: Buffer) => (texts.output += data.toString()));
  child.stderr.on('data', (data: Buffer) => (texts.errors += data.toString()));
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (exitCode) => {
      resolve({ exitCode, ...texts, seconds: (performance.now() - began) / 1000 });
    });
  });
  return { pid: child.pid!, ended };
}

/** Runs `mpirun` to its end. */
export async function mpirun(...job: Parameters<typeof startMpi>): Promise<Ended> {
  return startMpi(...job).ended;
}
