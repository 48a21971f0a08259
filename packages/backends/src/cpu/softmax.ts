import { inputOf, rowsAndChannels } from '../registry/check-inputs.ts';
import { type CpuKernel, tensorOf, valuesOf } from './cpu-kernel.ts';

/** `dx = y · (dy − Σ_c dy_c y_c)`, row by row. */
export const softmaxGrad: CpuKernel = {
  name: 'SoftmaxGrad',
  run: ({ inputs }, backend) => {
    const dy = inputOf('SoftmaxGrad', inputs, 'dy');
    const y = inputOf('SoftmaxGrad', inputs, 'y', dy.shape);
    const [rows, columns] = rowsAndChannels(dy.shape);
    const [D, Y] = [valuesOf(backend, dy), valuesOf(backend, y)];
    const out = new Float32Array(D.length);
    for (let row = 0, at = 0; row < rows; row += 1, at += columns) {
      let total = 0;
      for (let c = at; c < at + columns; c += 1) total += D[c]! * Y[c]!;
      for (let c = at; c < at + columns; c += 1) out[c] = Y[c]! * (D[c]! - total);
    }
    return tensorOf(backend, dy.shape, out);
  },
};

/** `dx = dy − exp(y) · Σ_c dy_c`, row by row. */
export const logSoftmaxGrad: CpuKernel = {
  name: 'LogSoftmaxGrad',
  run: ({ inputs }, backend) => {
    const dy = inputOf('LogSoftmaxGrad', inputs, 'dy');
    const y = inputOf('LogSoftmaxGrad', inputs, 'y', dy.shape);
    const [rows, columns] = rowsAndChannels(dy.shape);
    const [D, Y] = [valuesOf(backend, dy), valuesOf(backend, y)];
    const out = new Float32Array(D.length);
    for (let row = 0, at = 0; row < rows; row += 1, at += columns) {
      let total = 0;
      for (let c = at; c < at + columns; c += 1) total += D[c]!;
      for (let c = at; c < at + columns; c += 1) out[c] = D[c]! - Math.exp(Y[c]!) * total;
    }
    return tensorOf(backend, dy.shape, out);
  },
};

/** Cross-entropies of integer labels and their gradient, row by row: zeros for label −1, NaN for labels out of range. */
export const sparseSoftmaxCrossEntropy: CpuKernel = {
  name: 'SparseSoftmaxCrossEntropy',
  run: ({ inputs }, backend) => {
    const name = 'SparseSoftmaxCrossEntropy';
    const logits = inputOf(name, inputs, 'logits');
    const [rows, classes] = rowsAndChannels(logits.shape);
    const labels = inputOf(name, inputs, 'labels', logits.shape.slice(0, -1), 'int32');
    const [Z, L] = [valuesOf(backend, logits), valuesOf(backend, labels)];
    const losses = new Float32Array(rows);
    const gradient = new Float32Array(rows * classes);
    for (let row = 0, at = 0; row < rows; row += 1, at += classes) {
      const label = L[row]!;
      // The label −1 stands for a missing label: loss and gradient stay 0.
      if (label === -1) continue;
      if (!(label >= 0 && label < classes)) {
        losses[row] = NaN;
        gradient.fill(NaN, at, at + classes);
        continue;
      }
      let largest = -Infinity;
      for (let c = at; c < at + classes; c += 1) largest = Math.max(largest, Z[c]!);
      let total = 0;
      for (let c = at; c < at + classes; c += 1) total += Math.exp(Z[c]! - largest);
      for (let c = at; c < at + classes; c += 1) {
        gradient[c] = Math.exp(Z[c]! - largest) / total - (c - at === label ? 1 : 0);
      }
      losses[row] = Math.log(total) - (Z[at + label]! - largest);
    }
    return [
      tensorOf(backend, logits.shape.slice(0, -1), losses),
      tensorOf(backend, logits.shape, gradient),
    ];
  },
};
