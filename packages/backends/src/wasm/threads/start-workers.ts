import { nodeModule } from '../node-module.ts';
import { failureCapacity, threadLayout } from './layout.ts';

/** Bytes of a thread's own stack. */
export const stackBytes = 65_536;

/** What a worker gets to begin with. */
export interface WorkerStart {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  /** Address of what the threads share. */
  readonly job: number;
  /** Address of its line in the table of threads. */
  readonly thread: number;
  /** Upper end of its stack. */
  readonly stack: number;
}

/** What becomes known of a worker; the caller must return to its event loop to hear of it. */
export interface WorkerEvents {
  /** It did not start, or failed outside of the kernels. */
  readonly failed: (reason: string) => void;
  /** It runs no more: it writes to no memory from here on. */
  readonly ended: () => void;
}

/** A worker that was started. */
export interface StartedWorker {
  /** Ends it, with the backend whose memory nobody uses any more. */
  end(): void;
}

/** Runs in a worker of Node: an instance of the kernels on the shared memory, with a stack of its own. */
const nodeProgram = `
const { workerData: { module, memory, job, thread, stack } } = require('node:worker_threads');
const env = { memory, wait_for_threads: () => undefined };
const { exports } = new WebAssembly.Instance(module, { env });
exports.__stack_pointer.value = stack;
try {
  exports.work(job, thread);
} catch (error) {
  const text = new TextEncoder().encode(String(error)).subarray(0, ${failureCapacity});
  new Uint8Array(memory.buffer).set(text, thread + ${threadLayout.failure});
  exports.end_thread(job, thread, text.length);
}
`;

/** Starts a worker, which never keeps a program from ending. One that is refused says so as an event, too. */
export function startWorker(start: WorkerStart, events: WorkerEvents): StartedWorker {
  try {
    return nodeModule('node:worker_threads') === undefined
      ? startInBrowser(start, events)
      : startInNode(start, events);
  } catch (error) {
    events.failed(error instanceof Error ? error.message : String(error));
    events.ended();
    return { end: () => undefined };
  }
}

function startInNode(workerData: WorkerStart, { failed, ended }: WorkerEvents): StartedWorker {
  const { Worker } = nodeModule('node:worker_threads')!;
  // What the program's own command line loads first is none of its business.
  const worker = new Worker(nodeProgram, { eval: true, workerData, execArgv: [] });
  worker.on('error', (error: Error) => failed(error.message));
  worker.on('exit', ended);
  worker.unref();
  return { end: () => void worker.terminate() };
}

function startInBrowser(start: WorkerStart, { failed, ended }: WorkerEvents): StartedWorker {
  // In this form bundlers find the file.
  const worker = new Worker(new URL('./browser-worker.js', import.meta.url), { type: 'module' });
  worker.onmessage = ended;
  worker.onerror = (event: Event) => {
    // Without a message its file did not load.
    failed(event instanceof ErrorEvent ? event.message : 'browser-worker.js was refused');
    ended();
  };
  worker.postMessage(start);
  return { end: () => worker.terminate() };
}
