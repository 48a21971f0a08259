import { resolve } from 'node:path';
import type { Environment } from '../shared/environment.ts';
import { ChartCache } from './chart-cache.ts';
import { LivePageSource } from './live-page.ts';
import { servePage } from './server.ts';
import { exitCodes } from '../shared/exit-codes.ts';

/** Time between two readings of the folder, in ms: a page that changes more often is hard to read. */
const interval = 1000;

/**
 * Serves the live page of an output folder until the user interrupts.
 *
 * @param given - the folder as the user wrote it
 * @returns the exit code
 * @throws MultigradError `io` or `invalid-data` where the folder cannot be read, `io` where the port is taken
 */
export async function watch(
  given: string,
  port: number,
  { folder, print, signal, draw }: Environment,
): Promise<number> {
  const source = new LivePageSource(resolve(folder, given), given, new ChartCache(draw));
  // A folder that cannot be read at all is an error of the command, not a page with an error.
  await source.read();
  const server = await servePage(source, { port, interval, now: () => Date.now() });
  print(`Watching ${given}: open ${server.url} in a browser on this machine.`);
  print('Ctrl-C ends this page, not the training.');
  await new Promise<void>((done) => {
    if (signal.aborted) done();
    else signal.addEventListener('abort', () => done(), { once: true });
  });
  await server.close();
  return exitCodes.success;
}
