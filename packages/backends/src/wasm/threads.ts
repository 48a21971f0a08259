import type { KernelModule } from './kernel-module.ts';
import { withSharedMemory } from './kernel-module.ts';
import { nodeModule } from './node-module.ts';

/** Threads that wait for pieces of the kernels' work. */
export interface Threads {
  /** Ends them. */
  stop(): void;
}

/** Bytes of a thread's own stack. */
export const stackBytes = 65_536;

/** Runs in a worker: an instance of the kernels on the shared memory, with a stack of its own. */
const workerSource = `
const { workerData: { module, memory, job, stack } } = require('node:worker_threads');
const { exports } = new WebAssembly.Instance(module, { env: { memory } });
exports.__stack_pointer.value = stack;
exports.work(job);
`;

/** Starts a worker for each stack; they never keep a program from ending. */
export function startThreads(
  { module }: KernelModule,
  memory: WebAssembly.Memory,
  job: number,
  stacks: readonly number[],
): Threads {
  const { Worker } = nodeModule('node:worker_threads')!;
  const workers = stacks.map((stack) => {
    const worker = new Worker(workerSource, {
      eval: true,
      workerData: { module, memory, job, stack },
    });
    worker.unref();
    return worker;
  });
  return { stop: () => void workers.map((worker) => worker.terminate()) };
}

/** How many threads there are to be, and why. */
export interface ThreadPlan {
  readonly threads: number;
  readonly reason: string;
}

/** As many threads as are asked for, or as the machine runs at once (at most 8), where threads can share memory. */
export function planThreads(asked: number | 'auto'): ThreadPlan {
  if (asked === 1) return { threads: 1, reason: 'asked for' };
  const os = nodeModule('node:os');
  if (os === undefined || nodeModule('node:worker_threads') === undefined) {
    return { threads: 1, reason: 'threads need Node' };
  }
  if (asked !== 'auto') return { threads: asked, reason: 'asked for' };
  const available = os.availableParallelism();
  return { threads: Math.min(8, available), reason: `${available} run at once here, 8 at most` };
}

/**
 * The address of TensorFlow.js's SIMD binary with a shared memory, for `setWasmPaths`: its own is made for one thread,
 * and its build for several does not start in Node.
 */
export function sharedMemoryBinary(): string {
  const { createRequire } = nodeModule('node:module')!;
  const { readFileSync } = nodeModule('node:fs')!;
  const require = createRequire(import.meta.url);
  const entry = require.resolve('@tensorflow/tfjs-backend-wasm');
  const file = new URL('tfjs-backend-wasm-simd.wasm', `file://${entry}`);
  const binary = withSharedMemory(new Uint8Array(readFileSync(file)));
  return `data:application/wasm;base64,${Buffer.from(binary).toString('base64')}`;
}
