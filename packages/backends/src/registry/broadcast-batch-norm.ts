import { add, mul, rsqrt, sub, type Tensor, tidy } from '@tensorflow/tfjs-core';
import type { OwnKernel } from './own-kernel.ts';

/**
 * Batch norm by statistics of other axes than the last, as `tf.layers.batchNormalization({ axis: 2 })` has them:
 * `γ (x − μ)/√(σ² + ε) + β`, each broadcast. TensorFlow.js's cpu and wasm kernels go through the statistics number by
 * number as through x, whatever their axes.
 */
export const broadcastBatchNorm: OwnKernel<unknown> = {
  name: 'FusedBatchNorm',
  run: ({ inputs, attrs }) => {
    const { x, mean, variance, scale, offset } = inputs as Record<
      'x' | 'mean' | 'variance',
      Tensor
    > & { readonly scale?: Tensor | null; readonly offset?: Tensor | null };
    const others = [mean, variance, scale, offset].filter((each) => each != null);
    if (others.every((each) => repeatsAlongX(each, x))) return null;
    const { varianceEpsilon } = attrs as { varianceEpsilon: number };
    return tidy(() => {
      const standard = mul(sub(x, mean), rsqrt(add(variance, varianceEpsilon)));
      const scaled = scale == null ? standard : mul(standard, scale);
      return offset == null ? scaled : add(scaled, offset);
    });
  },
};

/** Whether numbers repeat in the order of x: one number, a whole x, or its last axes. */
function repeatsAlongX({ shape, size }: Tensor, x: Tensor): boolean {
  const last = shape.slice(shape.findIndex((length) => length > 1));
  return size === 1 || last.every((length, i) => length === x.shape[x.rank - last.length + i]);
}
