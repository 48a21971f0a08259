import type { KernelExports } from '../kernel-exports.ts';
import { failureCapacity, threadLayout } from './layout.ts';
import type { WorkerStart } from './start-workers.ts';

// The program of a worker in a browser. It runs an instance of the kernels on the shared memory, with a stack of its own.
globalThis.onmessage = ({ data }: MessageEvent<WorkerStart>): void => {
  const { module, memory, job, thread, stack } = data;
  const env = { memory, wait_for_threads: () => undefined };
  const { exports } = new WebAssembly.Instance(module, { env });
  const kernels = exports as unknown as KernelExports;
  kernels.__stack_pointer.value = stack;
  try {
    kernels.work(job, thread);
  } catch (error) {
    const text = new TextEncoder().encode(String(error)).subarray(0, failureCapacity);
    new Uint8Array(memory.buffer).set(text, thread + threadLayout.failure);
    kernels.end_thread(job, thread, text.length);
  }
  globalThis.postMessage('ended');
  globalThis.close();
};
