import {
  getKernel,
  type KernelFunc,
  registerKernel,
  type TensorInfo,
  unregisterKernel,
} from '@tensorflow/tfjs-core';
import { MultigradError } from '@multigrad/core/strategy';
import { KernelHeap } from './kernel-heap.ts';

type KernelCall = Parameters<KernelFunc>[0];

/** One kernel of ours: null hands the call on to the kernel that TensorFlow.js ships. */
export interface OwnKernel {
  readonly name: string;
  readonly run: (call: KernelCall, heap: KernelHeap) => TensorInfo | null;
}

/** Registers a kernel of ours on the wasm backend in the place of the stock one, which stays within reach. */
export function replaceKernel({ name, run }: OwnKernel): void {
  const stock = getKernel(name, 'wasm') as { kernelFunc: KernelFunc } | undefined;
  // Unregistered first: TensorFlow.js warns when a name is registered twice.
  if (stock !== undefined) unregisterKernel(name, 'wasm');
  registerKernel({
    kernelName: name,
    backendName: 'wasm',
    kernelFunc: (call) => {
      const own = run(call, KernelHeap.of(call.backend));
      if (own !== null) return own;
      if (stock !== undefined) return stock.kernelFunc(call);
      throw new MultigradError(
        'unsupported',
        `Kernel ${name} of the wasm backend does not support these inputs.`,
      );
    },
  });
}
