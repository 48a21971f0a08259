import type { TensorInfo } from '@tensorflow/tfjs-core';
import { poolGeometry } from '../registry/pool-geometry.ts';
import type { WasmKernel } from './wasm-kernel.ts';

/**
 * Max pooling that also returns the places of the maxima, the first of equal ones. NaN is passed over. The stock kernel
 * returns a tiny positive number for windows without a positive value.
 */
export const maxPoolWithArgmax: WasmKernel = {
  name: 'MaxPoolWithArgmax',
  run: ({ inputs, attrs }, heap) => {
    const { x } = inputs as Record<'x', TensorInfo>;
    const { pool, outShape } = poolGeometry(2, x.shape, attrs)!;
    const { includeBatchInIndex } = attrs as { readonly includeBatchInIndex: boolean };
    const [result, places] = [heap.output(outShape, x.dtype), heap.output(outShape, 'int32')];
    const [from, to, at] = [heap.values(x), heap.values(result), heap.values(places)];
    const [, rows, columns] = pool.input;
    const { channels } = pool;
    const imageSize = rows * columns * channels;
    let out = 0;
    for (let n = 0; n < pool.batch; n += 1) {
      for (let i = 0; i < pool.output[1]; i += 1) {
        for (let j = 0; j < pool.output[2]; j += 1) {
          for (let c = 0; c < channels; c += 1, out += 1) {
            let best = -1;
            let value = -Infinity;
            for (let v = 0; v < pool.kernel[1]; v += 1) {
              const row = i * pool.strides[1] - pool.before[1] + v;
              if (row < 0 || row >= rows) continue;
              for (let w = 0; w < pool.kernel[2]; w += 1) {
                const column = j * pool.strides[2] - pool.before[2] + w;
                if (column < 0 || column >= columns) continue;
                const place = n * imageSize + (row * columns + column) * channels + c;
                // False for NaN.
                if (from[place]! > value) [best, value] = [place, from[place]!];
              }
            }
            to[out] = value;
            at[out] = includeBatchInIndex ? best : best - n * imageSize;
          }
        }
      }
    }
    return [result, places];
  },
};
