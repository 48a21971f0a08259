import type { KernelModule } from './kernel-module.ts';
import { nodeModule } from './node-module.ts';

/** Threads that wait for pieces of the kernels' work. */
export interface Threads {
  /** Ends them. */
  stop(): void;
}

/** Bytes of a thread's own stack. */
export const stackBytes = 65_536;

/** What a thread gets to begin with. */
export interface ThreadStart {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  /** Address of what the threads share. */
  readonly job: number;
  /** Upper end of its stack. */
  readonly stack: number;
}

/** Runs in a worker of Node: an instance of the kernels on the shared memory, with a stack of its own. */
const workerSource = `
const { workerData: { module, memory, job, stack } } = require('node:worker_threads');
const { exports } = new WebAssembly.Instance(module, { env: { memory } });
exports.__stack_pointer.value = stack;
exports.work(job);
`;

/**
 * Starts a worker for each stack; they never keep a program from ending.
 *
 * @throws Error when a browser does not let one start
 */
export async function startThreads(
  { module }: KernelModule,
  memory: WebAssembly.Memory,
  job: number,
  stacks: readonly number[],
): Promise<Threads> {
  const starts = stacks.map((stack): ThreadStart => ({ module, memory, job, stack }));
  const node = nodeModule('node:worker_threads');
  if (node === undefined) return startBrowserThreads(starts);
  const workers = starts.map((workerData) => {
    const worker = new node.Worker(workerSource, { eval: true, workerData });
    worker.unref();
    return worker;
  });
  return { stop: () => void workers.map((worker) => worker.terminate()) };
}

async function startBrowserThreads(starts: readonly ThreadStart[]): Promise<Threads> {
  const workers = starts.map(
    // In this form bundlers find the file.
    () => new Worker(new URL('./browser-worker.js', import.meta.url), { type: 'module' }),
  );
  const stop = (): void => workers.forEach((worker) => worker.terminate());
  const ready = workers.map(
    (worker, index) =>
      new Promise((resolve, reject) => {
        worker.onmessage = resolve;
        worker.onerror = (event: Event) =>
          reject(
            // Without a message its file did not load.
            new Error(
              event instanceof ErrorEvent ? event.message : 'browser-worker.js was refused',
            ),
          );
        worker.postMessage(starts[index]);
      }),
  );
  try {
    await Promise.all(ready);
  } catch (error) {
    stop();
    throw error;
  }
  return { stop };
}

/** How many threads there are to be, and why. */
export interface ThreadPlan {
  readonly threads: number;
  readonly reason: string;
}

/** As many threads as are asked for, or as the machine runs at once (at most 8), where threads can share memory. */
export function planThreads(asked: number | 'auto'): ThreadPlan {
  if (asked === 1) return { threads: 1, reason: 'asked for' };
  const available = parallelism();
  if (available === null) {
    return {
      threads: 1,
      reason:
        'threads need a page that is isolated from others: serve it with the headers ' +
        'Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp',
    };
  }
  if (asked !== 'auto') return { threads: asked, reason: 'asked for' };
  return { threads: Math.min(8, available), reason: `${available} run at once here, 8 at most` };
}

/** How many threads run at once; null where they cannot share memory. */
function parallelism(): number | null {
  const os = nodeModule('node:os');
  if (os !== undefined) return os.availableParallelism();
  const { crossOriginIsolated } = globalThis as { readonly crossOriginIsolated?: boolean };
  return crossOriginIsolated === true ? navigator.hardwareConcurrency : null;
}

/** Whether this thread may sleep until others have done their part; the main one of a browser may not. */
export function maySleep(): boolean {
  try {
    // Returns at once: what is to change has changed.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 1);
    return true;
  } catch {
    return false;
  }
}
