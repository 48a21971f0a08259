import { util } from '@tensorflow/tfjs-core';
import { inputOf } from '../registry/check-inputs.ts';
import type { WasmKernel } from './wasm-kernel.ts';

/** The sum of the rows of each segment, which is the gradient of `tf.gather`. The stock backend has no kernel for it. */
export const unsortedSegmentSum: WasmKernel = {
  name: 'UnsortedSegmentSum',
  run: ({ inputs, attrs }, heap) => {
    const name = 'UnsortedSegmentSum';
    const isInteger = inputs['x']?.dtype === 'int32';
    const x = inputOf(name, inputs, 'x', undefined, isInteger ? 'int32' : 'float32');
    const rank = inputs['segmentIds']?.shape.length ?? 0;
    const outer = x.shape.slice(0, rank);
    const segmentIds = inputOf(name, inputs, 'segmentIds', outer, 'int32');
    const { numSegments } = attrs as { numSegments: number };
    const inner = x.shape.slice(rank);
    const out = heap.output([numSegments, ...inner], x.dtype);
    heap.kernels[isInteger ? 'segment_sum_integers' : 'segment_sum'](
      heap.pointer(x),
      heap.pointer(segmentIds),
      heap.pointer(out),
      util.sizeFromShape(outer),
      util.sizeFromShape(inner),
      numSegments,
    );
    return out;
  },
};
