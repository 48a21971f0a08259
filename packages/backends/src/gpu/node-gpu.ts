import type * as Dawn from 'webgpu';
import { gpuOf, type GpuAccess } from './open-webgpu.ts';
import type { Missing } from './missing.ts';

/** WebGPU of Node, from npm packages. */
export const nodeGpu: GpuAccess = { provide: provideGpu, register: importBackend };

async function importBackend(): Promise<Missing | null> {
  try {
    await import('@tensorflow/tfjs-backend-webgpu');
    return null;
  } catch (error) {
    return {
      missing: `the package of the backend did not load: ${String(error)}`,
      hint: '`npm install @tensorflow/tfjs-backend-webgpu`',
    };
  }
}

/** Puts WebGPU for Node, from the npm package `webgpu`, at the globals where programs for browsers look for it. */
async function provideGpu(): Promise<Missing | null> {
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
}

function hidden(value: unknown): PropertyDescriptor {
  return { value, configurable: true, writable: true, enumerable: false };
}
