// Several processes race for one lock, again and again. A process that gets it makes a file beside it (the witness) and
// removes it before the release: a process that finds another's witness shows that two hold the lock.
import { fork } from 'node:child_process';
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers';
import { randomState, resumeRandom } from '../../packages/core/dist/strategy.js';
import { newFolder } from './scratch.mjs';

const worker = join(import.meta.dirname, 'lock-worker.mjs');
/** The number of no process: Linux gives none above 2²². */
const gone = 2 ** 30;

/** What stands at the lock's place when a round begins. */
const places = {
  fresh: () => undefined,
  stale: (path) =>
    writeFileSync(path, JSON.stringify({ token: 'stale', process: gone, host: hostname() })),
  empty: (path) => writeFileSync(path, ''),
  dangling: (path) => symlinkSync(`${path}.nowhere`, path),
  // One of the processes is killed during its attempt.
  killed: (path) => places.stale(path),
};

function start() {
  const child = fork(worker, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  return new Promise((resolve) => child.once('message', () => resolve(child)));
}

/** One process's part of a round; `null` where it was killed. */
function attempt(child, path) {
  return new Promise((resolve) => {
    const ended = () => resolve(null);
    child.once('exit', ended);
    child.once('message', (outcome) => {
      child.off('exit', ended);
      resolve(outcome);
    });
    child.send(path);
  });
}

/**
 * @returns by what stood there: rounds, how often the lock was got, how often it was refused, how often two held it, and
 *   the errors by their text
 */
export async function raceForLocks({ processes, rounds, seed, places: asked }) {
  const random = resumeRandom(randomState(seed, 'locks', processes));
  const root = newFolder('races');
  const workers = await Promise.all(Array.from({ length: processes }, start));
  const names = asked === undefined ? Object.keys(places) : asked.split(',');
  const found = {};
  try {
    for (const name of names) {
      const count = { rounds: 0, got: 0, refused: 0, twice: 0, empty: 0, killed: 0, errors: {} };
      for (let round = 0; round < rounds; round += 1) {
        const folder = join(root, `${name}-${round}`);
        mkdirSync(folder);
        const path = join(folder, 'lock.json');
        places[name](path);
        const victim = name === 'killed' ? random.integer(processes) : -1;
        // To start a process takes longer than a round: it is done meanwhile.
        const next = victim >= 0 ? start() : null;
        if (victim >= 0) {
          const child = workers[victim];
          setTimeout(() => child.kill('SIGKILL'), random.uniform() * 4);
        }
        const outcomes = await Promise.all(workers.map((child) => attempt(child, path)));
        count.rounds += 1;
        for (const outcome of outcomes) {
          if (outcome === null) {
            count.killed += 1;
            continue;
          }
          count.got += outcome.got;
          count.refused += outcome.refused;
          count.twice += outcome.twice;
          for (const error of outcome.errors) count.errors[error] = (count.errors[error] ?? 0) + 1;
        }
        if (outcomes.every((outcome) => outcome === null || outcome.got === 0)) count.empty += 1;
        if (victim >= 0) {
          // It may have finished its part before the signal came.
          if (workers[victim].exitCode === null && workers[victim].signalCode === null) {
            await new Promise((resolve) => workers[victim].once('exit', resolve));
          }
          workers[victim] = await next;
        }
        rmSync(folder, { recursive: true });
      }
      found[name] = count;
    }
  } finally {
    for (const child of workers) child.disconnect();
    rmSync(root, { recursive: true, force: true });
  }
  return found;
}
