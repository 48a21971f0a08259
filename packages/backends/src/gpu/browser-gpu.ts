import { missingImport } from './missing.ts';
import { gpuOf, type GpuAccess } from './open-webgpu.ts';

/** Checks that the browser has WebGPU, and that the page has imported the backend. */
export const browserGpu: GpuAccess = {
  provide: () =>
    Promise.resolve(
      gpuOf() !== undefined
        ? null
        : {
            missing: 'there is no `navigator.gpu`',
            hint: 'a page needs a browser that has it, and https or localhost',
          },
    ),
  register: () => Promise.resolve(missingImport('webgpu')),
};
