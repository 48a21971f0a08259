import process from 'node:process';
import { workerData } from 'node:worker_threads';
import type { Payload } from '../communicator.ts';
import {
  allGather,
  allReduce,
  allToAll,
  barrier,
  broadcast,
  reduceScatter,
} from './collectives.ts';
import { Mesh } from './mesh.ts';
import {
  type Asked,
  errorText,
  type FromThread,
  type ThreadData,
  type ToThread,
} from './messages.ts';
import { grace } from './rank-process.ts';

// The thread of a rank that holds its connections: it sends and adds up while the rank's own thread computes, and gives
// signs of life while that one is busy or blocked.

const { place, times, port } = workerData as ThreadData;

const tell = (message: FromThread, moved: readonly ArrayBuffer[] = []): void => {
  port.postMessage(message, moved);
};

function calling(mesh: Mesh, asked: Asked): Promise<Payload | null> {
  const { what } = asked;
  switch (asked.name) {
    case 'allReduce':
      return allReduce(mesh, asked.values, asked.reduction, what);
    case 'reduceScatter':
      return reduceScatter(mesh, asked.values, asked.counts, what);
    case 'allToAll':
      return allToAll(mesh, asked.values, asked.counts, what);
    case 'allGather':
      return allGather(mesh, asked.values, asked.counts, what);
    case 'broadcast':
      return broadcast(mesh, asked.values, asked.root, what);
    case 'barrier':
      return barrier(mesh, what).then(() => null);
    case 'close':
      return barrier(mesh, what)
        .then(async () => mesh.close())
        .then(() => null);
  }
}

async function abort(mesh: Mesh, { exitCode, state }: ToThread & { kind: 'abort' }): Promise<void> {
  await mesh.abort(exitCode);
  wake(state, 1);
}

async function answer(
  mesh: Mesh,
  message: Exclude<ToThread, { readonly kind: 'abort' }>,
): Promise<void> {
  if (message.kind === 'call') {
    try {
      const values = await calling(mesh, message.asked);
      tell({ kind: 'answer', values }, values === null ? [] : [values.buffer as ArrayBuffer]);
    } catch (error) {
      tell({ kind: 'error', error: errorText(error) });
    }
    return;
  }
  const { what, shared } = message;
  try {
    const count = shared.values.length / mesh.size;
    const own = shared.values.slice(mesh.rank * count, (mesh.rank + 1) * count);
    const counts = new Array<number>(mesh.size).fill(count);
    shared.values.set(await allGather(mesh, own, counts, what));
    wake(shared.state, 1);
  } catch (error) {
    tell({ kind: 'error', error: errorText(error) });
    wake(shared.state, 2);
  }
}

function wake(state: Int32Array, value: number): void {
  Atomics.store(state, 0, value);
  Atomics.notify(state, 0);
}

/**
 * Ends this process where its program does not, by the signals and after the times of a launcher that is alive. The program
 * may compute for long, wait for something else, or go on after the error of its call.
 */
function endOrphan(): void {
  setTimeout(() => {
    process.kill(process.pid, 'SIGTERM');
    setTimeout(() => process.kill(process.pid, 'SIGKILL'), grace * 1000);
  }, grace * 1000);
}

try {
  const mesh = await Mesh.join(place, times, {
    abort: (exitCode, rank) => tell({ kind: 'aborted', exitCode, rank }),
    note: (text) => tell({ kind: 'note', text }),
    orphaned: endOrphan,
  });
  let last: Promise<void> = Promise.resolve();
  port.on('message', (message: ToThread) => {
    if (message.kind === 'abort') void abort(mesh, message);
    // One call after the other, while the rank computes: it need not be there for the next one to begin.
    else last = last.then(async () => answer(mesh, message));
  });
  tell({ kind: 'ready' });
} catch (error) {
  tell({ kind: 'error', error: errorText(error) });
}
