import { backend_util, broadcastTo, matMul, type Tensor, tidy, util } from '@tensorflow/tfjs-core';
import type { KernelCall, OwnKernel } from './own-kernel.ts';

/**
 * The product of two batches of matrices where a factor is repeated along some axes of the batch and not along others, as
 * [2, 1, m, k] times [1, 3, k, n]; null for all other products. TensorFlow.js's cpu and wasm backends compute a part of
 * that example and leave the rest unset.
 */
export function broadcastProduct({ inputs, attrs }: KernelCall): Tensor | null {
  const { a, b } = inputs as Record<'a' | 'b', Tensor>;
  const { transposeA, transposeB } = attrs as { transposeA: boolean; transposeB: boolean };
  const [outerA, outerB] = [a.shape.slice(0, -2), b.shape.slice(0, -2)];
  const outer = backend_util.assertAndGetBroadcastShape(outerA, outerB);
  const count = util.sizeFromShape(outer);
  const whole = [outerA, outerB].every((shape) => [1, count].includes(util.sizeFromShape(shape)));
  if (whole) return null;
  return tidy(() =>
    matMul(
      broadcastTo(a, [...outer, ...a.shape.slice(-2)]),
      broadcastTo(b, [...outer, ...b.shape.slice(-2)]),
      transposeA,
      transposeB,
    ),
  );
}

/** A kernel that calls {@link broadcastProduct}; where that returns null, the backend's own kernel runs. */
export const batchMatMul: OwnKernel<unknown> = { name: 'BatchMatMul', run: broadcastProduct };
