import { engine, env, type KernelBackend, type Platform } from '@tensorflow/tfjs-core';
import { keepRegistration, type Registration } from '../registry/keep-registration.ts';
import { KernelHeap } from './kernel-heap.ts';

type Factory = Registration['factory'];

/**
 * The address from which TensorFlow.js fetches its wasm binary. Nothing is fetched: {@link servedBy} answers with the
 * bytes.
 */
const address = 'multigrad:tfjs-backend-wasm';

const stockFactories = new WeakMap<Factory, Factory>();

/** The factory of wasm backends that {@link installOwnFactory} registers. */
export interface OwnFactory {
  /** The error because of which the last backend could not be made. TensorFlow.js only prints it. */
  readonly failure: unknown;
}

/**
 * Makes TensorFlow.js start wasm backends from this binary, with our kernels prepared on `threads` threads: at the next
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
    // TensorFlow.js's build for several threads would start workers of its own.
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

/** Runs `make` while TensorFlow.js gets the bytes when it fetches {@link address}, whatever the program's `fetch` does. */
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
