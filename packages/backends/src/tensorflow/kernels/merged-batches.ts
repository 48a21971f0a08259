import { matMul, reshape, type Tensor, tidy, util } from '@tensorflow/tfjs-core';
import type { NativeKernel } from './native-kernel.ts';

/**
 * Products of many matrices with one, over two or more batch axes, computed with the batch axes merged into one. For
 * [3, 1, m, k] times [1, 1, k, n], TensorFlow 2.21 (oneDNN) writes beyond its memory.
 */
export const mergedBatches: NativeKernel = {
  name: 'BatchMatMul',
  run: ({ inputs, attrs }) => {
    const { a, b } = inputs as Record<'a' | 'b', Tensor>;
    const { transposeA, transposeB } = attrs as { transposeA: boolean; transposeB: boolean };
    const batches = [a, b].map(({ shape }) => shape.slice(0, -2)) as [number[], number[]];
    const [countA, countB] = batches.map((shape) => util.sizeFromShape(shape)) as [number, number];
    if (a.rank !== b.rank || a.rank <= 3 || countA === countB) return null;
    if (countA !== 1 && countB !== 1) return null;
    return tidy(() => {
      const oneAxis = (x: Tensor, count: number): Tensor =>
        reshape(x, [count, ...x.shape.slice(-2)]);
      const product = matMul(oneAxis(a, countA), oneAxis(b, countB), transposeA, transposeB);
      const outer = countA === 1 ? batches[1] : batches[0];
      return reshape(product, [...outer, ...product.shape.slice(-2)]);
    });
  },
};
