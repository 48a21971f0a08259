import { backend, engine } from '@tensorflow/tfjs-core';
import { backendBinary } from './backend-binary.ts';
import { installWasmKernels } from './install.ts';
import { installOwnFactory } from './own-factory.ts';
import { planThreads } from './threads.ts';

/** How our kernels run on the wasm backend. */
export interface WasmReport {
  /** Threads at work, the calling one included. */
  readonly threads: number;
  /** Why so many. */
  readonly threadsReason: string;
  /** `relaxed` where the engine has a multiply-add that rounds once, which is faster. */
  readonly simd: 'relaxed' | 'plain';
}

/** How the wasm backend is to start. */
export interface WasmOptions {
  readonly threads?: number | 'auto';
  readonly wasmBinary?: string | URL;
}

/**
 * Starts the wasm backend by `start`, with our kernels on it.
 *
 * For more than one thread the backend gets a binary with a shared memory; a backend that runs already keeps the memory
 * and the threads that it has.
 */
export async function startWasm(
  { threads: asked = 'auto', wasmBinary }: WasmOptions,
  start: () => Promise<void>,
): Promise<WasmReport> {
  const plan = planThreads(asked);
  const factory =
    engine().registry['wasm'] === undefined
      ? await installOwnFactory(await backendBinary(plan.threads > 1, wasmBinary), plan.threads)
      : null;
  try {
    await start();
  } catch (error) {
    throw factory?.failure ?? error;
  }
  const { threads, threadsFailure, relaxedSimd } = await installWasmKernels(
    backend(),
    plan.threads,
  );
  return {
    threads,
    threadsReason:
      threads === plan.threads
        ? plan.reason
        : (threadsFailure ?? 'the backend had started before, and keeps its threads'),
    simd: relaxedSimd ? 'relaxed' : 'plain',
  };
}
