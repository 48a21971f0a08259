import { type BackendOptions, type BackendReport, chooseBackend } from './choose-backend.ts';
import { browserGpu } from './gpu/browser-gpu.ts';

/**
 * Starts a backend as `useBackend` does in Node, for browsers, which have no native TensorFlow: `auto` is WebGPU on a
 * graphics device, else wasm, else cpu.
 */
export async function useBackend(
  name: string,
  options: BackendOptions = {},
): Promise<BackendReport> {
  return chooseBackend(name, { openNative: null, gpu: browserGpu, prefersGpu: true }, options);
}
