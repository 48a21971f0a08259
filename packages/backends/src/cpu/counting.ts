import { engine, reshape, type Tensor, tidy, util } from '@tensorflow/tfjs-core';
import type { CpuKernel } from './cpu-kernel.ts';

/** `tf.denseBincount` of a vector with `binaryOutput`: whether each integer occurs. The stock kernel counts how often. */
export const denseBincount: CpuKernel = {
  name: 'DenseBincount',
  run: ({ inputs, attrs }) => {
    const { x, weights } = inputs as Record<'x' | 'weights', Tensor>;
    const given = attrs as unknown as { readonly binaryOutput: boolean; readonly size: number };
    if (!given.binaryOutput || x.rank !== 1) return null;
    return tidy(() => {
      const row = (values: Tensor): Tensor => reshape(values, [1, values.size]);
      const own = { x: row(x), weights: weights.size === 0 ? weights : row(weights) };
      return reshape(engine().runKernel<Tensor>('DenseBincount', own, { ...given }), [given.size]);
    });
  },
};

/** A copy of a tensor with some numbers replaced. The stock kernel overwrites its input. */
export const tensorScatterUpdate: CpuKernel = {
  name: 'TensorScatterUpdate',
  run: ({ inputs }, backend) => {
    const { tensor, indices, updates } = inputs as Record<string, Tensor>;
    const depth = indices!.rank < 2 ? 1 : indices!.shape.at(-1)!;
    const size = util.sizeFromShape(tensor!.shape.slice(depth));
    const strides = tensor!.shape
      .slice(0, depth)
      .map((_, axis) => util.sizeFromShape(tensor!.shape.slice(axis + 1)));
    const [at, from] = [
      backend.data.get(indices!.dataId).values,
      backend.data.get(updates!.dataId).values,
    ];
    const values = backend.data.get(tensor!.dataId).values.slice();
    for (let row = 0; row < indices!.size / depth; row += 1) {
      const place = strides.reduce(
        (sum, stride, axis) => sum + stride * at[row * depth + axis]!,
        0,
      );
      values.set(from.subarray(row * size, (row + 1) * size), place);
    }
    return backend.makeTensorInfo([...tensor!.shape], tensor!.dtype as 'float32', values);
  },
};
