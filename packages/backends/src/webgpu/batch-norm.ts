import type { TensorInfo } from '@tensorflow/tfjs-core';
import { inputOf, rowsAndChannels } from '../registry/check-inputs.ts';
import { columnSums } from './column-sums.ts';
import { elementwise, type WebGpuKernel } from './program.ts';

/** Batch normalisation by the statistics of the batch: sums for mean and variance, then one pass. */
export const batchNormTraining: WebGpuKernel = {
  name: 'BatchNormTraining',
  run: ({ inputs, attrs }, gpu) => {
    const name = 'BatchNormTraining';
    const x = inputOf(name, inputs, 'x');
    const [rows, channels] = rowsAndChannels(x.shape);
    const scale = inputOf(name, inputs, 'scale', [channels]);
    const offset = inputOf(name, inputs, 'offset', [channels]);
    const { epsilon } = attrs as unknown as { readonly epsilon: number };
    const sizes = { rows, columns: channels, factor: 1 / rows };
    const mean = columnSums(gpu, { name: 'numbers', inputs: { x }, expression: 'x[at]', ...sizes });
    const variance = columnSums(gpu, {
      name: 'squares',
      inputs: { x, mean },
      expression: '(x[at] - mean[column]) * (x[at] - mean[column])',
      ...sizes,
    });
    const inverse = elementwise(gpu, {
      name: 'inverse deviation',
      inputs: { variance },
      numbers: { epsilon },
      shape: [channels],
      expression: '1.0 / sqrt(variance[index] + uniforms.epsilon)',
    });
    const y = elementwise(gpu, {
      name: 'batch norm',
      inputs: { x, mean, inverse, scale, shift: offset },
      integers: { channels },
      shape: x.shape,
      expression: `(x[index] - mean[index % uniforms.channels]) * inverse[index % uniforms.channels]
        * scale[index % uniforms.channels] + shift[index % uniforms.channels]`,
    });
    return [y, mean, variance, inverse];
  },
};

/** The gradients of `BatchNormTraining` with respect to its input, scale and offset. */
export const batchNormTrainingGrad: WebGpuKernel = {
  name: 'BatchNormTrainingGrad',
  run: ({ inputs }, gpu) => {
    const name = 'BatchNormTrainingGrad';
    const dy = inputOf(name, inputs, 'dy');
    const [rows, channels] = rowsAndChannels(dy.shape);
    const x = inputOf(name, inputs, 'x', dy.shape);
    const [scale, mean, inverse] = ['scale', 'mean', 'inverseDeviation'].map((each) =>
      inputOf(name, inputs, each, [channels]),
    ) as [TensorInfo, TensorInfo, TensorInfo];
    const sizes = { rows, columns: channels };
    const dOffset = columnSums(gpu, {
      name: 'numbers',
      inputs: { x: dy },
      expression: 'x[at]',
      ...sizes,
    });
    const dScale = columnSums(gpu, {
      name: 'slopes',
      inputs: { dy, x, mean, inverse },
      expression: 'dy[at] * (x[at] - mean[column]) * inverse[column]',
      ...sizes,
    });
    const dx = elementwise(gpu, {
      name: 'batch norm gradient',
      inputs: { dy, x, scale, mean, inverse, slope: dScale, shift: dOffset },
      numbers: { share: 1 / rows },
      integers: { channels },
      shape: dy.shape,
      functions: `
      fn gradientAt(index : i32, c : i32) -> f32 {
        let standard = (x[index] - mean[c]) * inverse[c];
        return scale[c] * inverse[c] * (dy[index] - uniforms.share * (shift[c] + standard * slope[c]));
      }`,
      expression: 'gradientAt(index, index % uniforms.channels)',
    });
    return [dx, dScale, dOffset];
  },
};
