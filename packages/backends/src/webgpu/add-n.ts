import type { KernelFunc, TensorInfo } from '@tensorflow/tfjs-core';
import { mostInputs, type WebGpuKernel } from './program.ts';

/**
 * The sum of any number of tensors. The stock kernel binds all of them to one shader, and gives zeros where they are more
 * than the device allows.
 */
export function addN(stock: KernelFunc): WebGpuKernel {
  return {
    name: 'AddN',
    run: (call, backend) => {
      const terms = call.inputs as unknown as readonly TensorInfo[];
      const most = mostInputs(backend);
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
