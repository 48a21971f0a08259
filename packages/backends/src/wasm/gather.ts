import { backend_util, type Tensor, util } from '@tensorflow/tfjs-core';
import { MultigradError } from '@multigrad/core/strategy';
import { inputOf } from '../registry/check-inputs.ts';
import type { WasmKernel } from './wasm-kernel.ts';

/** Numbers of a slice from which on it is copied as a block. */
const blockSize = 8;

/**
 * `tf.gather` in three cases: with indices that differ from batch to batch, where the stock kernel reads those of the first
 * batches; with empty tensors, for which the stock kernel returns another shape; and of whole slices, as an embedding has
 * them, which the stock kernel copies number by number. The stock kernel computes all others.
 */
export const gatherV2: WasmKernel = {
  name: 'GatherV2',
  run: ({ inputs, attrs }, heap) => {
    const { axis, batchDims = 0 } = attrs as { axis: number; batchDims?: number };
    const { x, indices } = inputs as Record<'x' | 'indices', Tensor>;
    const isEmpty = x.size === 0 || indices.size === 0;
    const [along] = util.parseAxisParam(axis, x.shape) as [number];
    const slice = util.sizeFromShape(x.shape.slice(along + 1));
    const isBlock = slice >= blockSize && x.dtype !== 'string' && indices.dtype === 'int32';
    if (batchDims === 0 && !isEmpty && !isBlock) return null;
    inputOf('GatherV2', inputs, 'indices', undefined, 'int32');
    // Refuses shapes that do not fit.
    const info = backend_util.segment_util.collectGatherOpShapeInfo(x, indices, along, batchDims);
    const { batchSize, outerSize, dimSize, sliceSize, outputShape } = info;
    const taken = util.sizeFromShape(indices.shape) / batchSize;
    const out = heap.output(outputShape, x.dtype);
    const [from, places, to] = [heap.values(x), heap.values(indices), heap.values(out)];
    let at = 0;
    for (let n = 0; n < batchSize; n += 1) {
      for (let o = 0; o < outerSize; o += 1) {
        for (let i = 0; i < taken; i += 1, at += sliceSize) {
          const place = places[n * taken + i]!;
          if (place < 0 || place >= dimSize) throw outOfRange(place, dimSize);
          const row = ((n * outerSize + o) * dimSize + place) * sliceSize;
          to.set(from.subarray(row, row + sliceSize), at);
        }
      }
    }
    return out;
  },
};

function outOfRange(place: number, length: number): MultigradError {
  return new MultigradError(
    'invalid-argument',
    `Kernel GatherV2 should get indices from 0 to ${length - 1}. Found ${place}.`,
  );
}
