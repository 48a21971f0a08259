import { inputOf, rowsAndChannels } from '../registry/check-inputs.ts';
import type { WasmKernel } from './wasm-kernel.ts';

/** `dx = y · (dy − Σ_c dy_c y_c)`, row by row. */
export const softmaxGrad: WasmKernel = {
  name: 'SoftmaxGrad',
  run: ({ inputs }, heap) => {
    const dy = inputOf('SoftmaxGrad', inputs, 'dy');
    const y = inputOf('SoftmaxGrad', inputs, 'y', dy.shape);
    const out = heap.output(dy.shape);
    const sizes = rowsAndChannels(dy.shape);
    heap.kernels.softmax_gradient(heap.pointer(dy), heap.pointer(y), heap.pointer(out), ...sizes);
    return out;
  },
};

/** `dx = dy − exp(y) · Σ_c dy_c`, row by row. */
export const logSoftmaxGrad: WasmKernel = {
  name: 'LogSoftmaxGrad',
  run: ({ inputs }, heap) => {
    const dy = inputOf('LogSoftmaxGrad', inputs, 'dy');
    const y = inputOf('LogSoftmaxGrad', inputs, 'y', dy.shape);
    const out = heap.output(dy.shape);
    const sizes = rowsAndChannels(dy.shape);
    heap.kernels.log_softmax_gradient(
      heap.pointer(dy),
      heap.pointer(y),
      heap.pointer(out),
      ...sizes,
    );
    return out;
  },
};

/** Cross-entropies of integer labels and their gradient, row by row: zeros for label −1, NaN for labels out of range. */
export const sparseSoftmaxCrossEntropy: WasmKernel = {
  name: 'SparseSoftmaxCrossEntropy',
  run: ({ inputs }, heap) => {
    const name = 'SparseSoftmaxCrossEntropy';
    const logits = inputOf(name, inputs, 'logits');
    const outer = logits.shape.slice(0, -1);
    const labels = inputOf(name, inputs, 'labels', outer, 'int32');
    const losses = heap.output(outer);
    const gradient = heap.output(logits.shape);
    heap.kernels.cross_entropy(
      heap.pointer(logits),
      heap.pointer(labels),
      heap.pointer(losses),
      heap.pointer(gradient),
      ...rowsAndChannels(logits.shape),
    );
    return [losses, gradient];
  },
};
