import { MultigradError } from '@multigrad/core/strategy';
import {
  getKernel,
  type KernelFunc,
  registerKernel,
  type TensorInfo,
  unregisterKernel,
} from '@tensorflow/tfjs-core';

type KernelCall = Parameters<KernelFunc>[0];

/** The members of TensorFlow.js's cpu backend that the kernels use. */
export interface CpuBackend {
  readonly data: { get(dataId: TensorInfo['dataId']): { readonly values: Float32Array } };
  makeTensorInfo(shape: number[], dtype: 'float32', values: Float32Array): TensorInfo;
}

/** One kernel of ours: null hands the call on to the kernel that TensorFlow.js ships. */
export interface CpuKernel {
  readonly name: string;
  readonly run: (call: KernelCall, backend: CpuBackend) => TensorInfo | null;
}

/** A tensor's values, as they lie in memory. */
export function valuesOf(backend: CpuBackend, { dataId }: TensorInfo): Float32Array {
  return backend.data.get(dataId).values;
}

/** Registers a kernel of ours on the cpu backend in the place of the stock one, which stays within reach. */
export function replaceCpuKernel({ name, run }: CpuKernel): void {
  const stock = getKernel(name, 'cpu') as { kernelFunc: KernelFunc } | undefined;
  // Unregistered first: TensorFlow.js warns when a name is registered twice.
  if (stock !== undefined) unregisterKernel(name, 'cpu');
  registerKernel({
    kernelName: name,
    backendName: 'cpu',
    kernelFunc: (call) => {
      const own = run(call, call.backend as CpuBackend);
      if (own !== null) return own;
      if (stock !== undefined) return stock.kernelFunc(call);
      throw new MultigradError(
        'unsupported',
        `Kernel ${name} of multigrad does not cover these inputs, and the cpu backend has no other. ` +
          'Expected NHWC without dilation.',
      );
    },
  });
}
