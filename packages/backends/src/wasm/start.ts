import { backend, engine, env } from '@tensorflow/tfjs-core';
import { backendBinary } from './backend-binary.ts';
import { installWasmKernels } from './install.ts';
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
 * For more than one thread the backend gets its own binary with a shared memory; a backend that runs already keeps the
 * memory and the threads that it has.
 */
export async function startWasm(
  { threads: asked = 'auto', wasmBinary }: WasmOptions,
  start: () => Promise<void>,
): Promise<WasmReport> {
  const { setWasmPaths } = await import('@tensorflow/tfjs-backend-wasm');
  const plan = planThreads(asked);
  const runs = engine().registry['wasm'] !== undefined;
  const binary = runs ? null : await backendBinary(plan.threads > 1, wasmBinary);
  if (binary !== null) {
    // Its build for several threads would bring workers of its own.
    env().set('WASM_HAS_MULTITHREAD_SUPPORT', false);
    const { url } = binary;
    setWasmPaths(
      {
        'tfjs-backend-wasm.wasm': url,
        'tfjs-backend-wasm-simd.wasm': url,
        'tfjs-backend-wasm-threaded-simd.wasm': url,
      },
      true,
    );
  }
  try {
    await start();
  } finally {
    binary?.release();
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
