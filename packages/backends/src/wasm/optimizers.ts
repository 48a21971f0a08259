import type { TrainingKernel } from '@multigrad/core/kernels';
import { type TensorInfo, util } from '@tensorflow/tfjs-core';
import { inputOf, rowsOf, weightsOf } from '../registry/check-inputs.ts';
import type { AdamAttributes, MomentumAttributes } from '../registry/optimizer-attributes.ts';
import type { KernelCall } from '../registry/own-kernel.ts';
import type { KernelHeap } from './kernel-heap.ts';
import type { WasmKernel } from './wasm-kernel.ts';

/** One step of gradient descent with momentum. */
export const momentumUpdate: WasmKernel = {
  name: 'MomentumUpdate',
  run: (call, heap) => {
    const { learningRate, momentum, weightDecay, nesterov } =
      call.attrs as unknown as MomentumAttributes;
    return update('MomentumUpdate', ['variable', 'velocity'], call, heap, (pointers, sizes) => {
      heap.kernels.momentum_update(
        heap.job,
        ...pointers,
        ...sizes,
        learningRate,
        momentum,
        weightDecay,
        nesterov ? 1 : 0,
      );
    });
  },
};

/** One step of Adam. */
export const adamUpdate: WasmKernel = {
  name: 'AdamUpdate',
  run: (call, heap) => {
    const attributes = call.attrs as unknown as AdamAttributes;
    const { learningRate, weightDecay, beta1, beta2, epsilon, correction1, correction2 } =
      attributes;
    const kept = 1 - learningRate * attributes.decoupledDecay;
    return update('AdamUpdate', ['variable', 'mean', 'square'], call, heap, (pointers, sizes) => {
      heap.kernels.adam_update(
        heap.job,
        ...pointers,
        ...sizes,
        learningRate,
        weightDecay,
        beta1,
        beta2,
        epsilon,
        kept,
        correction1,
        correction2,
      );
    });
  },
};

/** Runs an update that reads `names` and rows, and makes a new tensor for each of the names. */
function update(
  kernel: TrainingKernel,
  names: readonly string[],
  { inputs, attrs }: KernelCall,
  heap: KernelHeap,
  run: (pointers: readonly number[], sizes: readonly [count: number, size: number]) => void,
): TensorInfo[] {
  const { shape } = inputOf(kernel, inputs, names[0]!);
  const own = names.map((name) => inputOf(kernel, inputs, name, shape));
  const rows = rowsOf(kernel, inputs, names);
  const weights = weightsOf(kernel, attrs ?? {}, rows.length);
  const out = names.map(() => heap.output(shape));
  const addresses = heap.scratch(8 * rows.length);
  const factors = addresses + 4 * rows.length;
  heap.writeIntegers(
    addresses,
    rows.map((row) => heap.pointer(row)),
  );
  heap.writeFloats(factors, weights);
  const pointersOf = (tensors: readonly TensorInfo[]): number[] =>
    tensors.map((tensor) => heap.pointer(tensor));
  run(
    [...pointersOf(own), addresses, factors, ...pointersOf(out)],
    [rows.length, util.sizeFromShape(shape)],
  );
  return out;
}
