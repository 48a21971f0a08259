import { resizeGradient } from '../loops/resize-gradients.ts';
import { inputOf } from '../registry/check-inputs.ts';
import type { WasmKernel } from './wasm-kernel.ts';

/**
 * The gradient of an image that was resized by its nearest pixels. The stock kernel leaves gradients out where several rows
 * or columns become one.
 */
export const resizeNearestNeighborGrad: WasmKernel = {
  name: 'ResizeNearestNeighborGrad',
  run: ({ inputs, attrs }, heap) => {
    const name = 'ResizeNearestNeighborGrad';
    const { shape } = inputOf(name, inputs, 'images');
    const [batch, , , channels] = shape as [number, number, number, number];
    const [, rows, columns] = inputs['dy']?.shape ?? [];
    const dy = inputOf(name, inputs, 'dy', [batch, rows ?? 0, columns ?? 0, channels]);
    const out = heap.output(shape);
    heap.clear(out);
    const { alignCorners } = attrs as { alignCorners: boolean };
    const [from, to] = [heap.values(dy), heap.values(out)] as Float32Array[];
    resizeGradient('nearest', from!, to!, shape, dy.shape, alignCorners);
    return out;
  },
};
