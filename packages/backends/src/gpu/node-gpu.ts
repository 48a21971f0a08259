import type * as Dawn from 'webgpu';
import { gpuOf, type ProvideGpu } from './open-webgpu.ts';

/** Puts WebGPU for Node, from the npm package `webgpu`, at the globals where programs for browsers look for it. */
export const nodeGpu: ProvideGpu = async () => {
  if (gpuOf() !== undefined) return null;
  let dawn: typeof Dawn;
  try {
    dawn = await import('webgpu');
  } catch (error) {
    return {
      missing: `WebGPU for Node did not load: ${(error as Error).message.split('\n')[0]}`,
      hint: '`npm install webgpu @tensorflow/tfjs-backend-webgpu`',
    };
  }
  for (const [name, value] of Object.entries(dawn.globals)) {
    if (!Object.hasOwn(globalThis, name)) Object.defineProperty(globalThis, name, hidden(value));
  }
  // Node 20 has no navigator.
  if (!('navigator' in globalThis)) Object.defineProperty(globalThis, 'navigator', hidden({}));
  Object.defineProperty(navigator, 'gpu', hidden(dawn.create([])));
  return null;
};

function hidden(value: unknown): PropertyDescriptor {
  return { value, configurable: true, writable: true, enumerable: false };
}
