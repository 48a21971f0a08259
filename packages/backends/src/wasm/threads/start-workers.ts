import { nodeModule } from '../node-module.ts';
import { failureCapacity, threadLayout } from './layout.ts';

/** The size of a thread's own stack, in bytes. */
export const stackBytes = 65_536;

/** The message with which a worker starts. */
export interface WorkerStart {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  /** Address of the job, which the threads share. */
  readonly job: number;
  /** Address of the worker's `Thread` in the table of threads. */
  readonly thread: number;
  /** Upper end of the worker's stack. */
  readonly stack: number;
}

/** Functions for the events of a worker. As a rule they are called once the caller has returned to its event loop. */
export interface WorkerEvents {
  /** The worker did not start, or failed outside of the kernels. */
  readonly failed: (reason: string) => void;
  /** The worker has ended, and writes to no memory from here on. */
  readonly ended: () => void;
}

/** A worker that was started. */
export interface StartedWorker {
  /** Ends the worker at once. Call it only when the backend ends, since nothing uses its memory any more then. */
  end(): void;
}

/**
 * The program of a worker, as text: it runs an instance of the kernels on the shared memory, with a stack of its own. As
 * text it needs no file that a bundler, a development server or a content delivery network would have to find.
 */
const program = `
const run = ({ module, memory, job, thread, stack }) => {
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
};
`;

const nodeProgram = `${program} run(require('node:worker_threads').workerData);`;

const browserProgram = `${program} onmessage = ({ data }) => {
  run(data);
  postMessage('ended');
  close();
};`;

/**
 * Starts a worker, which does not keep the program alive. Where the runtime refuses to, the events `failed` and `ended`
 * say so.
 */
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
  // The worker does not get the program's command line options, such as modules to load first.
  const worker = new Worker(nodeProgram, { eval: true, workerData, execArgv: [] });
  worker.on('error', (error: Error) => failed(error.message));
  worker.on('exit', ended);
  worker.unref();
  return { end: () => void worker.terminate() };
}

/** The address of the program in a browser; it is kept for all workers of the page. */
let programAddress: string | undefined;

function startInBrowser(start: WorkerStart, { failed, ended }: WorkerEvents): StartedWorker {
  programAddress ??= URL.createObjectURL(new Blob([browserProgram], { type: 'text/javascript' }));
  const worker = new Worker(programAddress);
  worker.onmessage = ended;
  worker.onerror = (event: Event) => {
    // An event without a message says that the program did not load.
    const refused =
      'the page refused it (its Content-Security-Policy must have `worker-src blob:`)';
    failed(event instanceof ErrorEvent ? event.message : refused);
    ended();
  };
  worker.postMessage(start);
  return { end: () => worker.terminate() };
}
