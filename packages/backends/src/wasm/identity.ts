import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { OwnKernel } from './stock-kernels.ts';

/** A tensor that shares its values; the stock kernel copies them. */
export const identity: OwnKernel = {
  name: 'Identity',
  run: ({ inputs }, heap) => {
    const { x } = inputs as Record<'x', TensorInfo>;
    return heap.alias(x, x.shape);
  },
};
