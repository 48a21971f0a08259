import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import process from 'node:process';

/** The root of the repository. */
export const root: string = join(import.meta.dirname, '../..');

/** The command of the command-line package. */
export const multigrad: string = join(root, 'packages/cli/bin/multigrad.js');

/** How a job ended. */
export interface Ended {
  readonly exitCode: number | null;
  readonly output: string;
  readonly errors: string;
}

/** A job under way. */
export interface Launched {
  readonly launcher: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Waits for a line of the output that fits; rejects where the job ends before. */
  line(pattern: RegExp): Promise<RegExpExecArray>;
}

/** Starts `multigrad launch` with these arguments. */
export function launched(args: readonly string[], folder: string = root): Launched {
  const launcher = spawn(process.execPath, [multigrad, 'launch', ...args], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: '0' },
  });
  const texts = { output: '', errors: '' };
  const waiting = new Set<() => void>();
  const take = (name: 'output' | 'errors') => (data: Buffer) => {
    texts[name] += data.toString();
    for (const look of waiting) look();
  };
  launcher.stdout.on('data', take('output'));
  launcher.stderr.on('data', take('errors'));
  const ended = new Promise<Ended>((resolve, reject) => {
    launcher.on('error', reject);
    launcher.on('close', (exitCode) => resolve({ exitCode, ...texts }));
  });
  return {
    launcher,
    ended,
    line: async (pattern) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const found = pattern.exec(texts.output);
          if (found === null) return;
          waiting.delete(look);
          resolve(found);
        };
        waiting.add(look);
        look();
        void ended.then(() => {
          reject(
            new Error(`The job ended before ${String(pattern)}: ${texts.output}${texts.errors}`),
          );
        });
      }),
  };
}
