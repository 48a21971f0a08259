import type { TensorInfo } from '@tensorflow/tfjs-core';
import { inputOf } from '../registry/check-inputs.ts';
import { poolGeometry } from '../registry/pool-geometry.ts';
import { numbersOf } from './pooling-average.ts';
import type { WasmKernel } from './wasm-kernel.ts';

/** The stock kernel returns a tiny positive number for windows without a positive value. */
export const maxPool3D: WasmKernel = {
  name: 'MaxPool3D',
  run: ({ inputs, attrs }, heap) => {
    const { x } = inputs as Record<'x', TensorInfo>;
    const geometry = poolGeometry(3, x.shape, attrs);
    if (geometry === null || x.dtype !== 'float32') return null;
    const out = heap.output(geometry.outShape);
    heap.kernels.max_pool_3d(heap.pointer(x), heap.pointer(out), ...numbersOf(geometry.pool));
    return out;
  },
};

/** The stock kernel sends gradients to the wrong place where a window's maximum is not positive. */
export const maxPool3DGrad: WasmKernel = {
  name: 'MaxPool3DGrad',
  run: ({ inputs, attrs }, heap) => {
    const input = inputOf('MaxPool3DGrad', inputs, 'input');
    const geometry = poolGeometry(3, input.shape, attrs);
    if (geometry === null) return null;
    const dy = inputOf('MaxPool3DGrad', inputs, 'dy', geometry.outShape);
    const out = heap.output(input.shape);
    heap.kernels.max_pool_3d_gradient(
      heap.pointer(input),
      heap.pointer(dy),
      heap.pointer(out),
      ...numbersOf(geometry.pool),
    );
    return out;
  },
};

/** The stock kernel leaves outputs of windows of one pixel unset, and knows no rounding but down. */
export const maxPool: WasmKernel = {
  name: 'MaxPool',
  run: ({ inputs, attrs }, heap) => {
    const { x } = inputs as Record<'x', TensorInfo>;
    const geometry = poolGeometry(2, x.shape, attrs);
    if (geometry === null || x.dtype !== 'float32') return null;
    const { dimRoundingMode = 'floor' } = attrs as { readonly dimRoundingMode?: string };
    const isPixel = geometry.pool.kernel.every((length) => length === 1);
    if (!isPixel && dimRoundingMode === 'floor') return null;
    const out = heap.output(geometry.outShape);
    heap.kernels.max_pool_3d(heap.pointer(x), heap.pointer(out), ...numbersOf(geometry.pool));
    return out;
  },
};
