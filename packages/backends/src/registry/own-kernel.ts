import { MultigradError } from '@multigrad/core/strategy';
import {
  getKernel,
  type KernelConfig,
  type KernelFunc,
  registerKernel,
  type TensorInfo,
  unregisterKernel,
} from '@tensorflow/tfjs-core';

/** What TensorFlow.js hands to a kernel. */
export type KernelCall = Parameters<KernelFunc>[0];

/**
 * One kernel of ours for a backend whose members it reaches through `Access`: null hands the call on to the kernel that
 * TensorFlow.js ships.
 */
export interface OwnKernel<Access> {
  readonly name: string;
  readonly run: (call: KernelCall, access: Access) => TensorInfo | TensorInfo[] | null;
}

/**
 * Registers kernels of ours on a backend, each in the place of the stock one, which stays within reach: TensorFlow.js
 * prepares it for every instance of the backend, as before.
 */
export function installKernels<Access>(
  backendName: string,
  kernels: readonly OwnKernel<Access>[],
  accessOf: (backend: object) => Access,
): void {
  for (const { name, run } of kernels) {
    const stock = getKernel(name, backendName) as KernelConfig | undefined;
    // Unregistered first: TensorFlow.js warns when a name is registered twice.
    if (stock !== undefined) unregisterKernel(name, backendName);
    registerKernel({
      // A stock kernel of wasm binds its function of the binary in `setupFunc`, for each instance anew.
      ...stock,
      kernelName: name,
      backendName,
      kernelFunc: (call) => {
        const own = run(call, accessOf(call.backend));
        if (own !== null) return own;
        if (stock !== undefined) return stock.kernelFunc(call);
        throw new MultigradError(
          'unsupported',
          `Kernel ${name} of multigrad does not cover these inputs, and the ${backendName} backend has no other. ` +
            'Expected float32; for convolutions channels last, without dilation.',
        );
      },
    });
  }
}
