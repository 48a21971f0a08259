import { backend_util, type TensorInfo } from '@tensorflow/tfjs-core';
import { inputOf } from '../registry/check-inputs.ts';
import type { WasmKernel } from './wasm-kernel.ts';

type Pool3DArguments = Parameters<typeof backend_util.computePool3DInfo>;

interface Pool3DAttributes {
  readonly filterSize: Pool3DArguments[1];
  readonly strides: Pool3DArguments[2];
  readonly pad: Pool3DArguments[4];
  readonly dimRoundingMode?: Pool3DArguments[5];
  readonly dataFormat?: Pool3DArguments[6];
}

/** The stock kernel returns a tiny positive number for windows without a positive value. */
export const maxPool3D: WasmKernel = {
  name: 'MaxPool3D',
  run: ({ inputs, attrs }, heap) => {
    const { x } = inputs as Record<'x', TensorInfo>;
    const pool = geometry(x, attrs as unknown as Pool3DAttributes);
    if (pool === null || x.dtype !== 'float32') return null;
    const out = heap.output(pool.outShape);
    heap.kernels.max_pool_3d(heap.pointer(x), heap.pointer(out), ...pool.numbers);
    return out;
  },
};

/** The stock kernel sends gradients to the wrong place where a window's maximum is not positive. */
export const maxPool3DGrad: WasmKernel = {
  name: 'MaxPool3DGrad',
  run: ({ inputs, attrs }, heap) => {
    const input = inputOf('MaxPool3DGrad', inputs, 'input');
    const pool = geometry(input, attrs as unknown as Pool3DAttributes);
    if (pool === null) return null;
    const dy = inputOf('MaxPool3DGrad', inputs, 'dy', pool.outShape);
    const out = heap.output(input.shape);
    heap.kernels.max_pool_3d_gradient(
      heap.pointer(input),
      heap.pointer(dy),
      heap.pointer(out),
      ...pool.numbers,
    );
    return out;
  },
};

/** Null for channels first, which TensorFlow.js's own kernels do not support either. */
function geometry(
  { shape }: TensorInfo,
  { filterSize, strides, pad, dimRoundingMode, dataFormat = 'NDHWC' }: Pool3DAttributes,
): { outShape: number[]; numbers: number[] } | null {
  if (dataFormat !== 'NDHWC') return null;
  const input = shape as Pool3DArguments[0];
  const info = backend_util.computePool3DInfo(input, filterSize, strides, 1, pad, dimRoundingMode);
  const { padInfo } = info;
  return {
    outShape: [...info.outShape],
    numbers: [
      info.batchSize,
      info.inDepth,
      info.inHeight,
      info.inWidth,
      info.inChannels,
      info.outDepth,
      info.outHeight,
      info.outWidth,
      info.filterDepth,
      info.filterHeight,
      info.filterWidth,
      info.strideDepth,
      info.strideHeight,
      info.strideWidth,
      padInfo.front,
      padInfo.top,
      padInfo.left,
    ],
  };
}
