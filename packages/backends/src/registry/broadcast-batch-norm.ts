import { add, mul, rsqrt, sub, type Tensor, tidy } from '@tensorflow/tfjs-core';
import type { OwnKernel } from './own-kernel.ts';

/**
 * Batch norm with statistics of other axes than the last, as `tf.layers.batchNormalization({ axis: 2 })` computes it:
 * `γ (x − μ)/√(σ² + ε) + β`, with γ, μ, σ² and β broadcast to the shape of x. TensorFlow.js's cpu and wasm kernels read the
 * statistics in the order of x's numbers, whatever their axes.
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

/** Whether a tensor lines up with x when its numbers are repeated in order: it holds one number, or has x's last axes. */
function repeatsAlongX({ shape, size }: Tensor, x: Tensor): boolean {
  const last = shape.slice(shape.findIndex((length) => length > 1));
  return size === 1 || last.every((length, i) => length === x.shape[x.rank - last.length + i]);
}
