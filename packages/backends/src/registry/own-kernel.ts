import { MultigradError } from '@multigrad/core/strategy';
import {
  getKernel,
  type KernelConfig,
  type KernelFunc,
  registerKernel,
  type TensorInfo,
  unregisterKernel,
} from '@tensorflow/tfjs-core';

/** The arguments that TensorFlow.js passes to a kernel. */
export type KernelCall = Parameters<KernelFunc>[0];

/**
 * A kernel of ours for a backend. `Access` is the part of the backend that it uses. Where `run` returns null, the kernel
 * that was registered before runs, as a rule TensorFlow.js's own.
 */
export interface OwnKernel<Access> {
  readonly name: string;
  readonly run: (call: KernelCall, access: Access) => TensorInfo | TensorInfo[] | null;
}

/**
 * Registers our kernels on a backend, each in place of the stock kernel of the same name. The stock kernel serves the calls
 * where ours returns null, and TensorFlow.js sets it up for every instance of the backend, as before.
 */
export function installKernels<Access>(
  backendName: string,
  kernels: readonly OwnKernel<Access>[],
  accessOf: (backend: object) => Access,
): void {
  for (const { name, run } of kernels) {
    const stock = getKernel(name, backendName) as KernelConfig | undefined;
    // The stock kernel is unregistered first, since TensorFlow.js warns when a name is registered twice.
    if (stock !== undefined) unregisterKernel(name, backendName);
    registerKernel({
      // Keeps `setupFunc`: there a stock wasm kernel looks up its function in the binary, anew for each instance.
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
