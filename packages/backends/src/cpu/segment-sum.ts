import { util } from '@tensorflow/tfjs-core';
import { inputOf } from '../registry/check-inputs.ts';
import { type CpuKernel, valuesOf } from './cpu-kernel.ts';

/**
 * The sum of the rows of each segment, which is the gradient of `tf.gather`. The stock kernel goes through all numbers once
 * for each segment, and returns float32 for int32.
 */
export const unsortedSegmentSum: CpuKernel = {
  name: 'UnsortedSegmentSum',
  run: ({ inputs, attrs }, backend) => {
    const name = 'UnsortedSegmentSum';
    const dtype = inputs['x']?.dtype === 'int32' ? 'int32' : 'float32';
    const x = inputOf(name, inputs, 'x', undefined, dtype);
    const rank = inputs['segmentIds']?.shape.length ?? 0;
    const segmentIds = inputOf(name, inputs, 'segmentIds', x.shape.slice(0, rank), 'int32');
    const { numSegments } = attrs as { numSegments: number };
    const inner = x.shape.slice(rank);
    const width = util.sizeFromShape(inner);
    const [from, ids] = [valuesOf(backend, x), valuesOf(backend, segmentIds)];
    const sums = new Float64Array(numSegments * width);
    for (let i = 0; i < ids.length; i += 1) {
      const id = ids[i]!;
      if (id < 0 || id >= numSegments) continue;
      for (let c = 0; c < width; c += 1) sums[id * width + c]! += from[i * width + c]!;
    }
    const values = dtype === 'int32' ? Int32Array.from(sums) : Float32Array.from(sums);
    return backend.makeTensorInfo([numSegments, ...inner], dtype, values);
  },
};
