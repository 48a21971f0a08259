import {
  type BackendOptions,
  type BackendReport,
  chooseBackend,
  type OpenNative,
} from './choose-backend.ts';
import type { GpuAccess } from './gpu/open-webgpu.ts';

/**
 * Starts a TensorFlow.js backend and prepares it for training: it installs our kernels, and gradients of stock operations
 * that call them. Call it again after a later import of `@tensorflow/tfjs-layers`, because that import registers stock
 * gradients in place of ours. It also adds the methods that layers call to tensors (`x.sub(y)`): make recurrent layers after
 * this call.
 *
 * - `auto`: in Node native TensorFlow where it is installed, in browsers WebGPU where a graphics device answers and the
 *   page has imported `@tensorflow/tfjs-backend-webgpu`; else wasm, else cpu; the report says why
 * - `tensorflow`: native TensorFlow (Node only): `@tensorflow/tfjs-node-gpu` where a GPU answers, else
 *   `@tensorflow/tfjs-node`, else a build made by `npx multigrad native install` of `@multigrad/cli`; or an error that says
 *   what is missing
 * - `webgpu`: `@tensorflow/tfjs-backend-webgpu`, in Node on the package `webgpu`, in browsers imported by the page; or an
 *   error that says what is missing
 * - `webgl`: `@tensorflow/tfjs-backend-webgl` (browsers only), imported by the page; or an error that says what is missing
 * - `wasm`, `cpu`: that backend with our kernels, or an error
 * - any other name: a backend that the caller has registered (by importing its package); it is used as it is
 *
 * @param name - name of the backend, or `auto`
 * @param options - for the wasm backend: its threads, and a listener for lost ones
 * @throws MultigradError `unsupported` when the backend is not registered or does not start, `invalid-option`
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
  name: 'auto' | 'tensorflow' | 'webgpu' | 'webgl' | 'wasm' | 'cpu' | (string & {}),
  options: BackendOptions = {},
): Promise<BackendReport> {
  return chooseBackend(name, { openNative, gpu, prefersGpu: false }, options);
}

const openNative: OpenNative = async () => {
  const { openNativeTensorFlow } = await import('./tensorflow/native-tensorflow.ts');
  return openNativeTensorFlow();
};

const gpu: GpuAccess = {
  provide: async () => (await import('./gpu/node-gpu.ts')).nodeGpu.provide(),
  register: async () => (await import('./gpu/node-gpu.ts')).nodeGpu.register(),
};
