import { getKernel, type KernelFunc, type TensorInfo } from '@tensorflow/tfjs-core';
import { installKernels, type OwnKernel } from '../registry/own-kernel.ts';

/** The members of TensorFlow.js's WebGPU backend that the kernels use. */
interface KernelBackend {
  readonly device: { readonly limits: { readonly maxStorageBuffersPerShaderStage: number } };
  disposeData(dataId: object): boolean;
}

let installed = false;

/** Registers our kernels on the webgpu backend, once. */
export function installWebGpuKernels(): void {
  if (installed) return;
  installed = true;
  const { kernelFunc } = getKernel('AddN', 'webgpu');
  installKernels('webgpu', [addN(kernelFunc)], (backend) => backend as KernelBackend);
}

/**
 * The sum of any number of tensors. The stock kernel binds all of them to one shader, and gives zeros where they are more
 * than the device allows.
 */
function addN(stock: KernelFunc): OwnKernel<KernelBackend> {
  return {
    name: 'AddN',
    run: (call, backend) => {
      const terms = call.inputs as unknown as readonly TensorInfo[];
      // One of the bindings is for the output.
      const most = backend.device.limits.maxStorageBuffersPerShaderStage - 1;
      if (terms.length <= most) return null;
      let sum: TensorInfo | null = null;
      for (let next = 0; next < terms.length;) {
        const before: TensorInfo[] = sum === null ? [] : [sum];
        const some = terms.slice(next, next + most - before.length);
        next += some.length;
        const inputs = [...before, ...some] as unknown as typeof call.inputs;
        sum = stock({ ...call, inputs }) as TensorInfo;
        for (const { dataId } of before) backend.disposeData(dataId);
      }
      return sum;
    },
  };
}
