// A long list of cases, tried by one process or by several.
import { fork } from 'node:child_process';
import { join } from 'node:path';
import { works } from './works.mjs';

const worker = join(import.meta.dirname, 'shard-worker.mjs');

function inProcess(part, settings) {
  const child = fork(worker, [part, JSON.stringify(settings)]);
  return new Promise((resolve, reject) => {
    let answer = null;
    child.on('message', (message) => (answer = message));
    child.on('error', reject);
    // It ends by itself: its list of cases does, and a case waits for nothing but this machine.
    child.on('close', (code, signal) => {
      if (answer?.result !== undefined) resolve(answer.result);
      else reject(new Error(answer?.error ?? `${part}: a process ended by ${signal ?? code}.`));
    });
  });
}

/**
 * Does a part's work in `workers` processes, each of which tries every `workers`-th case.
 *
 * @param part - name of the work in works.mjs
 * @returns what each of them found; `tried`, `failures` and `counts` (numbers by name) of all together
 */
export async function inShards(part, settings) {
  const { workers = 1 } = settings;
  const shards = Array.from({ length: workers }, (_, shard) => ({ ...settings, workers, shard }));
  const found =
    workers === 1
      ? [await works[part](shards[0])]
      : await Promise.all(shards.map((shard) => inProcess(part, shard)));
  const counts = {};
  for (const [key, times] of found.flatMap((one) => Object.entries(one.counts ?? {}))) {
    counts[key] = (counts[key] ?? 0) + times;
  }
  return {
    found,
    tried: found.reduce((sum, one) => sum + one.tried, 0),
    failures: found.flatMap((one) => one.failures),
    counts,
  };
}

/** A part's figure, once its failures are printed. It holds where all cases were tried and none failed. */
export function caseFigure(what, { tried, failures }, count, found, expected) {
  for (const failure of failures) console.error(`${what}: ${failure}`);
  return {
    ...{ what, expected, holds: failures.length === 0 && tried === count },
    found: failures.length === 0 ? found : `${found}; ${failures.length} failed`,
  };
}
