import { backend, engine, ready, setBackend } from '@tensorflow/tfjs-core';
import { MultigradError } from '@multigrad/core/strategy';
import { installCpuKernels } from './cpu/install.ts';
import { installWasmKernels } from './wasm/install.ts';

/** What `useBackend` did. */
export interface BackendReport {
  /** Name of the TensorFlow.js backend now in use. */
  readonly name: string;
  /** Whether our training kernels are installed on it. */
  readonly ownKernels: boolean;
  /** Why this one: what was asked for, and what failed on the way. */
  readonly reason: string;
}

/**
 * Chooses a TensorFlow.js backend and makes it fit for training.
 *
 * - `auto`: wasm, or cpu where wasm does not start; the report says so
 * - `wasm`, `cpu`: that backend with our kernels, or an error
 * - any other name: a backend that the caller has registered (by importing its package); it is used as it is
 *
 * @param name - which backend
 * @throws MultigradError `unsupported` when the backend is not registered or does not start
 *
 * @example
 * ```ts
 * import { useBackend } from '@multigrad/backends';
 *
 * const { name, reason } = await useBackend('auto');
 * console.log(name, reason);
 * ```
 */
export async function useBackend(
  name: 'auto' | 'wasm' | 'cpu' | (string & {}),
): Promise<BackendReport> {
  switch (name) {
    case 'wasm':
      return useWasm('asked for');
    case 'cpu':
      return useCpu('asked for');
    case 'auto':
      try {
        return await useWasm('the fastest that needs no installation');
      } catch (error) {
        return useCpu(
          `wasm did not start: ${error instanceof Error ? error.message : String(error)}`,
        );
      }
    default:
      return useRegistered(name);
  }
}

async function useWasm(reason: string): Promise<BackendReport> {
  await import('@tensorflow/tfjs-backend-wasm');
  await start('wasm');
  await installWasmKernels(backend());
  return { name: 'wasm', ownKernels: true, reason };
}

async function useCpu(reason: string): Promise<BackendReport> {
  await import('@tensorflow/tfjs-backend-cpu');
  await start('cpu');
  installCpuKernels();
  return { name: 'cpu', ownKernels: true, reason };
}

async function useRegistered(name: string): Promise<BackendReport> {
  const registered = Object.keys(engine().registryFactory);
  if (!registered.includes(name)) {
    throw new MultigradError(
      'unsupported',
      `Backend \`${name}\` is not registered with TensorFlow.js: import its package first. ` +
        `Known: auto, wasm, cpu${registered.map((other) => (['wasm', 'cpu'].includes(other) ? '' : `, ${other}`)).join('')}.`,
    );
  }
  await start(name);
  return { name, ownKernels: false, reason: 'asked for; used as it is registered' };
}

async function start(name: string): Promise<void> {
  if (await setBackend(name)) {
    await ready();
    return;
  }
  throw new MultigradError('unsupported', `Backend \`${name}\` did not start here.`);
}
