import { engine, env, type KernelBackend, type Platform } from '@tensorflow/tfjs-core';
import { keepRegistration, type Registration } from '../registry/keep-registration.ts';
import { KernelHeap } from './kernel-heap.ts';

type Factory = Registration['factory'];

/** The address that TensorFlow.js fetches its wasm binary from; we answer with bytes that we have already. */
const address = 'multigrad:tfjs-backend-wasm';

const stockFactories = new WeakMap<Factory, Factory>();

/** The factory that makes wasm backends from now on. */
export interface OwnFactory {
  /** Why the last one could not be made; TensorFlow.js prints that, and keeps it to itself. */
  readonly failure: unknown;
}

/**
 * Sees to it that TensorFlow.js makes wasm backends of this binary, our kernels prepared on so many threads: by the next
 * `tf.setBackend`, and whenever `tf.engine().reset()` has thrown the backend away.
 *
 * @throws MultigradError `unsupported` when the backend was removed before
 */
export async function installOwnFactory(
  binary: Uint8Array<ArrayBuffer>,
  threads: number,
): Promise<OwnFactory> {
  const { setWasmPaths } = await import('@tensorflow/tfjs-backend-wasm');
  const { factory: registered, priority } = keepRegistration('wasm');
  const stock = stockFactories.get(registered) ?? registered;
  const made: { failure: unknown } = { failure: undefined };
  const factory = async (): Promise<KernelBackend> => {
    // Its build for several threads would bring workers of its own.
    env().set('WASM_HAS_MULTITHREAD_SUPPORT', false);
    setWasmPaths(
      {
        'tfjs-backend-wasm.wasm': address,
        'tfjs-backend-wasm-simd.wasm': address,
        'tfjs-backend-wasm-threaded-simd.wasm': address,
      },
      true,
    );
    try {
      const backend = await servedBy(binary, async () => stock());
      await KernelHeap.prepare(backend, threads);
      made.failure = undefined;
      return backend;
    } catch (error) {
      made.failure = error;
      throw error;
    }
  };
  stockFactories.set(factory, stock);
  engine().registryFactory['wasm'] = { factory, priority };
  return made;
}

/** Runs `make`, which gets the bytes at {@link address} whatever the program's own `fetch` does. */
async function servedBy<T>(bytes: Uint8Array<ArrayBuffer>, make: () => Promise<T>): Promise<T> {
  const { platform } = env();
  const serving = Object.create(platform) as Platform;
  serving.fetch = (path, init) =>
    path === address ? Promise.resolve(new Response(bytes)) : platform.fetch(path, init);
  env().platform = serving;
  try {
    return await make();
  } finally {
    if (env().platform === serving) env().platform = platform;
  }
}
