import { type BackendOptions, useBackend } from '@multigrad/backends';
import { enableProdMode } from '@tensorflow/tfjs-core';
import picocolors from 'picocolors';
import { barProgress } from '../progress/bars.ts';
import { lineProgress } from '../progress/lines.ts';
import { LostThreads } from '../progress/lost-threads.ts';
import type { Progress } from '../progress/progress.ts';
import type { Environment } from '../shared/environment.ts';

/** What trains: a backend that is ready, and where its messages go. */
export interface Machine {
  readonly backend: Awaited<ReturnType<typeof useBackend>>;
  readonly progress: Progress;
  readonly lostThreads: LostThreads;
}

/**
 * Makes a backend ready to train.
 *
 * @param name - of the backend, or `auto`
 * @param options - threads of the backend that are not its own choice
 * @throws MultigradError `unsupported` where it is not there
 */
export async function startMachine(
  name: string,
  environment: Environment,
  options: Pick<BackendOptions, 'threads'> = {},
): Promise<Machine> {
  // Without it the cpu backend prints an advertisement of another package.
  enableProdMode();
  const progress = progressOf(environment);
  const lostThreads = new LostThreads((text) => progress.note(text));
  const backend = await useBackend(name, { ...options, onThreadLost: lostThreads.onThreadLost });
  return { backend, progress, lostThreads };
}

function progressOf({ terminal, print }: Environment): Progress {
  if (terminal === null) return lineProgress(print);
  return barProgress(
    terminal,
    picocolors.createColors(picocolors.isColorSupported),
    () => performance.now() / 1000,
  );
}
