import { gpuOf, type ProvideGpu } from './open-webgpu.ts';

/** Checks that the browser has WebGPU. */
export const browserGpu: ProvideGpu = () =>
  Promise.resolve(
    gpuOf() !== undefined
      ? null
      : {
          missing: 'there is no `navigator.gpu`',
          hint: 'a page needs a browser that has it, and https or localhost',
        },
  );
