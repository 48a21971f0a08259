import { type TensorInfo, util } from '@tensorflow/tfjs-core';
import type { WasmKernel } from './wasm-kernel.ts';

/** The gradient of `tf.gather`; missing from the stock backend. */
export const unsortedSegmentSum: WasmKernel = {
  name: 'UnsortedSegmentSum',
  run: ({ inputs, attrs }, heap) => {
    const { x, segmentIds } = inputs as Record<'x' | 'segmentIds', TensorInfo>;
    const { numSegments } = attrs as { numSegments: number };
    const inner = x.shape.slice(segmentIds.shape.length);
    const out = heap.output([numSegments, ...inner]);
    heap.kernels.segment_sum(
      heap.pointer(x),
      heap.pointer(segmentIds),
      heap.pointer(out),
      util.sizeFromShape(segmentIds.shape),
      util.sizeFromShape(inner),
      numSegments,
    );
    return out;
  },
};
