import type { KernelExports } from './kernel-exports.ts';
import type { ThreadStart } from './threads.ts';

// What a worker of a browser runs: an instance of the kernels on the shared memory, with a stack of its own.
globalThis.onmessage = ({ data }: MessageEvent<ThreadStart>): void => {
  const { module, memory, job, stack } = data;
  const instance = new WebAssembly.Instance(module, { env: { memory } });
  const kernels = instance.exports as unknown as KernelExports;
  kernels.__stack_pointer.value = stack;
  globalThis.postMessage('ready');
  kernels.work(job);
};
