import { backend_util, broadcastTo, matMul, type Tensor, tidy, util } from '@tensorflow/tfjs-core';
import type { KernelCall, OwnKernel } from './own-kernel.ts';

/**
 * Products of batches where each factor is repeated along another axis, as [2, 1, m, k] times [1, 3, k, n]; null for all
 * others. TensorFlow.js's cpu and wasm backends compute a part of such a product and leave the rest unset.
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

/** {@link broadcastProduct} in the place of a backend's own kernel, which does all other products. */
export const batchMatMul: OwnKernel<unknown> = { name: 'BatchMatMul', run: broadcastProduct };
