import { backend_util } from '@tensorflow/tfjs-core';
import { inputOf } from '../registry/check-inputs.ts';
import type { WasmKernel } from './wasm-kernel.ts';

type Pool2DArguments = Parameters<typeof backend_util.computePool2DInfo>;

interface PoolAttributes {
  readonly filterSize: Pool2DArguments[1];
  readonly strides: Pool2DArguments[2];
  readonly pad: Pool2DArguments[4];
  readonly dimRoundingMode?: Pool2DArguments[5];
}

/**
 * The gradient of max pooling of images: each output's gradient is added at the first maximum of its window. The stock
 * kernel adds it at the wrong place where that maximum is not positive.
 */
export const maxPoolGrad: WasmKernel = {
  name: 'MaxPoolGrad',
  run: ({ inputs, attrs }, heap) => {
    const input = inputOf('MaxPoolGrad', inputs, 'input');
    const { filterSize, strides, pad, dimRoundingMode } = attrs as unknown as PoolAttributes;
    const info = backend_util.computePool2DInfo(
      input.shape as Pool2DArguments[0],
      filterSize,
      strides,
      1,
      pad,
      dimRoundingMode,
    );
    const dy = inputOf('MaxPoolGrad', inputs, 'dy', info.outShape);
    const out = heap.output(input.shape);
    heap.kernels.max_pool_gradient(
      heap.job,
      heap.pointer(input),
      heap.pointer(dy),
      heap.pointer(out),
      info.batchSize,
      info.inHeight,
      info.inWidth,
      info.inChannels,
      info.outHeight,
      info.outWidth,
      info.effectiveFilterHeight,
      info.effectiveFilterWidth,
      info.strideHeight,
      info.strideWidth,
      1,
      1,
      info.padInfo.top,
      info.padInfo.left,
    );
    return out;
  },
};
