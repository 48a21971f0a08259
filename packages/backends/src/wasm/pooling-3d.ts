import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { PoolGeometry } from '../loops/pool-gradients.ts';
import { inputOf } from '../registry/check-inputs.ts';
import { poolGeometry } from '../registry/pool-geometry.ts';
import { numbersOf } from './pooling-average.ts';
import type { WasmKernel } from './wasm-kernel.ts';

/** Max pooling of volumes. The stock kernel returns a tiny positive number for windows without a positive value. */
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

/**
 * The gradient of max pooling of volumes: each output's gradient is added at the first maximum of its window. The stock
 * kernel adds it at the wrong place where that maximum is not positive.
 */
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

/**
 * Max pooling of images where the stock kernel is wrong. It leaves outputs of windows of one pixel unset. It reads the
 * memory of other tensors where a window lies in the padding alone. It counts columns differently where the padding is
 * one number, fails where there is no window, and rounds down whatever `dimRoundingMode` says.
 */
export const maxPool: WasmKernel = {
  name: 'MaxPool',
  run: ({ inputs, attrs }, heap) => {
    const { x } = inputs as Record<'x', TensorInfo>;
    const geometry = poolGeometry(2, x.shape, attrs);
    if (geometry === null || x.dtype !== 'float32') return null;
    const { dimRoundingMode = 'floor', pad } = attrs as {
      readonly dimRoundingMode?: string;
      readonly pad: unknown;
    };
    const isPixel = geometry.pool.kernel.every((length) => length === 1);
    const isEmpty = geometry.outShape.includes(0);
    const isUsual = !isEmpty && dimRoundingMode === 'floor' && isCountedAlike(geometry.pool, pad);
    if (!isPixel && isUsual && !hasOuterWindows(geometry.pool)) return null;
    const out = heap.output(geometry.outShape);
    heap.kernels.max_pool_3d(heap.pointer(x), heap.pointer(out), ...numbersOf(geometry.pool));
    return out;
  },
};

/**
 * Whether TensorFlow.js and the stock kernel count the same columns. Where the padding is one number, TensorFlow.js
 * counts as if windows and strides were square; the stock kernel does not.
 */
function isCountedAlike({ kernel, strides }: PoolGeometry, pad: unknown): boolean {
  return (
    typeof pad !== 'number' || [kernel, strides].every(([, rows, columns]) => rows === columns)
  );
}

/** Whether any window lies outside of the input. */
function hasOuterWindows({ input, output, kernel, strides, before }: PoolGeometry): boolean {
  return [1, 2].some((axis) => {
    const last = (output[axis]! - 1) * strides[axis]! - before[axis]!;
    return before[axis]! >= kernel[axis]! || last >= input[axis]!;
  });
}
