import { inputOf, rowsAndChannels } from '../registry/check-inputs.ts';
import { type CpuKernel, tensorOf, valuesOf } from './cpu-kernel.ts';

/**
 * Layer normalisation over the last axis. It also returns each row's mean and inverse deviation, which its gradient
 * needs.
 */
export const layerNorm: CpuKernel = {
  name: 'LayerNorm',
  run: ({ inputs, attrs }, backend) => {
    const x = inputOf('LayerNorm', inputs, 'x');
    const [rows, channels] = rowsAndChannels(x.shape);
    const scale = valuesOf(backend, inputOf('LayerNorm', inputs, 'scale', [channels]));
    const offset = valuesOf(backend, inputOf('LayerNorm', inputs, 'offset', [channels]));
    const { epsilon } = attrs as unknown as { epsilon: number };
    const X = valuesOf(backend, x);
    const [y, mean, inverse] = [X.length, rows, rows].map((size) => new Float64Array(size)) as [
      Float64Array,
      Float64Array,
      Float64Array,
    ];
    for (let row = 0, at = 0; row < rows; row += 1, at += channels) {
      let sum = 0;
      for (let c = 0; c < channels; c += 1) sum += X[at + c]!;
      const centre = sum / channels;
      let squares = 0;
      for (let c = 0; c < channels; c += 1) squares += (X[at + c]! - centre) ** 2;
      mean[row] = centre;
      inverse[row] = 1 / Math.sqrt(squares / channels + epsilon);
      for (let c = 0; c < channels; c += 1) {
        y[at + c] = (X[at + c]! - centre) * inverse[row]! * scale[c]! + offset[c]!;
      }
    }
    return [
      tensorOf(backend, x.shape, y),
      tensorOf(backend, [rows], mean),
      tensorOf(backend, [rows], inverse),
    ];
  },
};

/**
 * The gradients of `LayerNorm` with respect to its input, scale and offset, from the means and inverse deviations that
 * it returned.
 */
export const layerNormGrad: CpuKernel = {
  name: 'LayerNormGrad',
  run: ({ inputs }, backend) => {
    const name = 'LayerNormGrad';
    const dy = inputOf(name, inputs, 'dy');
    const [rows, channels] = rowsAndChannels(dy.shape);
    const D = valuesOf(backend, dy);
    const X = valuesOf(backend, inputOf(name, inputs, 'x', dy.shape));
    const scale = valuesOf(backend, inputOf(name, inputs, 'scale', [channels]));
    const mean = valuesOf(backend, inputOf(name, inputs, 'mean', [rows]));
    const inverse = valuesOf(backend, inputOf(name, inputs, 'inverseDeviation', [rows]));
    const [dScale, dOffset] = [new Float64Array(channels), new Float64Array(channels)];
    const dx = new Float32Array(D.length);
    for (let row = 0, at = 0; row < rows; row += 1, at += channels) {
      const standard = (c: number): number => (X[at + c]! - mean[row]!) * inverse[row]!;
      let [plain, mixed] = [0, 0];
      for (let c = 0; c < channels; c += 1) {
        const g = D[at + c]! * scale[c]!;
        plain += g / channels;
        mixed += (g * standard(c)) / channels;
        dScale[c]! += D[at + c]! * standard(c);
        dOffset[c]! += D[at + c]!;
      }
      for (let c = 0; c < channels; c += 1) {
        dx[at + c] = inverse[row]! * (D[at + c]! * scale[c]! - plain - standard(c) * mixed);
      }
    }
    return [
      tensorOf(backend, dy.shape, dx),
      tensorOf(backend, [channels], dScale),
      tensorOf(backend, [channels], dOffset),
    ];
  },
};
