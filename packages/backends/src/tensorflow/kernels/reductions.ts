import { type TensorInfo, util } from '@tensorflow/tfjs-core';
import { inputOf } from '../../registry/check-inputs.ts';
import { reductionAxes } from '../../registry/reduction-axes.ts';
import { type NativeKernel, runNative } from './native-kernel.ts';

/**
 * Sums over leading axes (bias gradients) or trailing ones, in float64, with as many threads as pay. The stock kernel takes
 * several times as long over leading axes, and wakes other threads for the smallest sum.
 */
export const sum: NativeKernel = reduction('Sum', () => 1);

/** Means over leading or trailing axes. */
export const mean: NativeKernel = reduction('Mean', (count) => 1 / count);

function reduction(name: string, scaleOf: (count: number) => number): NativeKernel {
  return {
    name,
    run: (call, backend) => {
      const axes = reductionAxes(call);
      if (axes === null) return null;
      const { x, leading, count, kept, outShape } = axes;
      const numbers = [Number(leading && kept > 1), kept, scaleOf(count)];
      return runNative(backend, 'Sums', [x], numbers, [outShape])[0]!;
    },
  };
}

/** The sum of the rows of each segment, which is the gradient of `tf.gather`; threads share the columns. */
export const unsortedSegmentSum: NativeKernel = {
  name: 'UnsortedSegmentSum',
  run: ({ inputs, attrs }, backend) => {
    const { x, segmentIds } = inputs as Record<'x' | 'segmentIds', TensorInfo>;
    const { numSegments } = attrs as { readonly numSegments: number };
    const rank = segmentIds.shape.length;
    const inner = x.shape.slice(rank);
    const width = util.sizeFromShape(inner);
    const empty = util.sizeFromShape(x.shape) * numSegments === 0;
    if (x.dtype !== 'float32' || segmentIds.dtype !== 'int32' || empty) return null;
    inputOf('UnsortedSegmentSum', inputs, 'segmentIds', x.shape.slice(0, rank), 'int32');
    const shape = [numSegments, ...inner];
    return runNative(backend, 'SegmentSum', [x, segmentIds], [width, numSegments], [shape])[0]!;
  },
};
