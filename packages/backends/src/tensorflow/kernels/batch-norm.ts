import type { NamedTensorInfoMap, TensorInfo } from '@tensorflow/tfjs-core';
import { inputOf, rowsAndChannels } from '../../registry/check-inputs.ts';
import { type NativeKernel, runNative } from './native-kernel.ts';

/**
 * Batch normalisation by the statistics of the batch. It also returns each channel's mean, variance and inverse
 * deviation.
 */
export const batchNormTraining: NativeKernel = {
  name: 'BatchNormTraining',
  run: ({ inputs, attrs }, backend) => {
    const x = inputOf('BatchNormTraining', inputs, 'x');
    const [, channels] = rowsAndChannels(x.shape);
    const vectors = vectorsOf('BatchNormTraining', inputs, ['scale', 'offset'], channels);
    const shapes = [x.shape, [channels], [channels], [channels]];
    return runNative(backend, 'BatchNormTraining', [x, ...vectors], [epsilonOf(attrs)], shapes);
  },
};

/** Gradients of batch normalisation by the statistics of the batch, through the mean and variance too. */
export const batchNormTrainingGrad: NativeKernel = {
  name: 'BatchNormTrainingGrad',
  run: ({ inputs }, backend) => {
    const dy = inputOf('BatchNormTrainingGrad', inputs, 'dy');
    const [, channels] = rowsAndChannels(dy.shape);
    const x = inputOf('BatchNormTrainingGrad', inputs, 'x', dy.shape);
    const names = ['scale', 'mean', 'inverseDeviation'];
    const vectors = vectorsOf('BatchNormTrainingGrad', inputs, names, channels);
    const shapes = [dy.shape, [channels], [channels]];
    return runNative(backend, 'BatchNormTrainingGrad', [dy, x, ...vectors], [], shapes);
  },
};

/** Gradients of a batch normalisation by given statistics. */
export const batchNormInferenceGrad: NativeKernel = {
  name: 'BatchNormInferenceGrad',
  run: ({ inputs, attrs }, backend) => {
    const dy = inputOf('BatchNormInferenceGrad', inputs, 'dy');
    const [, channels] = rowsAndChannels(dy.shape);
    const x = inputOf('BatchNormInferenceGrad', inputs, 'x', dy.shape);
    const names = ['mean', 'variance', 'scale'];
    const vectors = vectorsOf('BatchNormInferenceGrad', inputs, names, channels);
    const shapes = [dy.shape, [channels], [channels], [channels], [channels]];
    const numbers = [epsilonOf(attrs)];
    return runNative(backend, 'BatchNormInferenceGrad', [dy, x, ...vectors], numbers, shapes);
  },
};

function vectorsOf(
  kernel: string,
  inputs: NamedTensorInfoMap,
  names: readonly string[],
  channels: number,
): TensorInfo[] {
  return names.map((name) => inputOf(kernel, inputs, name, [channels]));
}

function epsilonOf(attributes: unknown): number {
  return (attributes as { readonly epsilon: number }).epsilon;
}
