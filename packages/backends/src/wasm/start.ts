import { backend, findBackend } from '@tensorflow/tfjs-core';
import { installWasmKernels } from './install.ts';
import { planThreads, sharedMemoryBinary } from './threads.ts';

/** How our kernels run on the wasm backend. */
export interface WasmReport {
  /** Threads at work, the calling one included. */
  readonly threads: number;
  /** Why so many. */
  readonly threadsReason: string;
  /** `relaxed` where the engine has a multiply-add that rounds once, which is faster. */
  readonly simd: 'relaxed' | 'plain';
}

/**
 * Starts the wasm backend by `start`, with our kernels on it.
 *
 * For more than one thread the backend gets its own binary with a shared memory; a backend that runs already keeps the
 * memory and the threads that it has.
 */
export async function startWasm(
  asked: number | 'auto',
  start: () => Promise<void>,
): Promise<WasmReport> {
  const { setWasmPaths } = await import('@tensorflow/tfjs-backend-wasm');
  const running = findBackend('wasm') as object | null;
  const plan = planThreads(asked);
  if (running === null && plan.threads > 1) {
    const binary = sharedMemoryBinary();
    setWasmPaths(
      {
        'tfjs-backend-wasm.wasm': binary,
        'tfjs-backend-wasm-simd.wasm': binary,
        'tfjs-backend-wasm-threaded-simd.wasm': binary,
      },
      true,
    );
  }
  await start();
  const { threads, relaxedSimd } = await installWasmKernels(backend(), plan.threads);
  return {
    threads,
    threadsReason:
      threads === plan.threads
        ? plan.reason
        : 'the backend had started before, and keeps its threads',
    simd: relaxedSimd ? 'relaxed' : 'plain',
  };
}
