import type { NamedTensorInfoMap, TensorInfo } from '@tensorflow/tfjs-core';
import { inputOf, rowsAndChannels } from '../registry/check-inputs.ts';
import type { KernelHeap } from './kernel-heap.ts';
import type { WasmKernel } from './wasm-kernel.ts';

const [float, double] = [4, 8];

/**
 * Batch normalisation by the statistics of the batch. It also returns each channel's mean, variance and inverse
 * deviation.
 */
export const batchNormTraining: WasmKernel = {
  name: 'BatchNormTraining',
  run: ({ inputs, attrs }, heap) => {
    const name = 'BatchNormTraining';
    const x = inputOf(name, inputs, 'x');
    const [rows, channels] = rowsAndChannels(x.shape);
    const vectors = vectorsOf(name, inputs, ['scale', 'offset'], channels);
    const { epsilon } = attrs as unknown as { epsilon: number };
    const out = outputs(heap, x.shape, channels, 3);
    const scratch = heap.scratch((2 * double + 3 * float) * channels);
    heap.kernels.batch_norm_training(
      ...pointers(heap, [x, ...vectors, ...out]),
      scratch,
      rows,
      channels,
      epsilon,
    );
    return out;
  },
};

/** Gradients of batch normalisation by the statistics of the batch, through the mean and variance too. */
export const batchNormTrainingGrad: WasmKernel = {
  name: 'BatchNormTrainingGrad',
  run: ({ inputs }, heap) => {
    const name = 'BatchNormTrainingGrad';
    const dy = inputOf(name, inputs, 'dy');
    const [rows, channels] = rowsAndChannels(dy.shape);
    const x = inputOf(name, inputs, 'x', dy.shape);
    const vectors = vectorsOf(name, inputs, ['scale', 'mean', 'inverseDeviation'], channels);
    const out = outputs(heap, dy.shape, channels, 2);
    const scratch = heap.scratch((2 * double + 3 * float) * channels);
    heap.kernels.batch_norm_training_gradient(
      ...pointers(heap, [dy, x, ...vectors, ...out]),
      scratch,
      rows,
      channels,
    );
    return out;
  },
};

/** Gradients of a batch normalisation by given statistics. */
export const batchNormInferenceGrad: WasmKernel = {
  name: 'BatchNormInferenceGrad',
  run: ({ inputs, attrs }, heap) => {
    const name = 'BatchNormInferenceGrad';
    const dy = inputOf(name, inputs, 'dy');
    const [rows, channels] = rowsAndChannels(dy.shape);
    const x = inputOf(name, inputs, 'x', dy.shape);
    const vectors = vectorsOf(name, inputs, ['mean', 'variance', 'scale'], channels);
    const { epsilon } = attrs as unknown as { epsilon: number };
    const out = outputs(heap, dy.shape, channels, 4);
    const scratch = heap.scratch((2 * double + 2 * float) * channels);
    heap.kernels.batch_norm_inference_gradient(
      ...pointers(heap, [dy, x, ...vectors, ...out]),
      scratch,
      rows,
      channels,
      epsilon,
    );
    return out;
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

/** New outputs: one tensor of `shape`, and `vectors` vectors of one number for each channel. */
function outputs(
  heap: KernelHeap,
  shape: readonly number[],
  channels: number,
  vectors: number,
): TensorInfo[] {
  return [heap.output(shape), ...Array.from({ length: vectors }, () => heap.output([channels]))];
}

function pointers(heap: KernelHeap, tensors: readonly TensorInfo[]): number[] {
  return tensors.map((tensor) => heap.pointer(tensor));
}
