import { matMul, reshape, type Tensor, tidy, util } from '@tensorflow/tfjs-core';
import { type NativeKernel, runNative } from './native-kernel.ts';

/**
 * Products of many matrices with one, over two or more batch axes, computed with the batch axes merged into one. For
 * [3, 1, m, k] times [1, 1, k, n], TensorFlow 2.21 (oneDNN) writes beyond its memory.
 */
export const batchMatMul: NativeKernel = {
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

/**
 * One float32 matrix times another, on threads only where that pays. The stock kernel hands even the smallest product to
 * another thread, and waits for it to wake up.
 */
export const matrixProduct: NativeKernel = {
  name: 'BatchMatMul',
  run: ({ inputs, attrs }, backend) => {
    const { a, b } = inputs as Record<'a' | 'b', Tensor>;
    const { transposeA, transposeB } = attrs as { transposeA: boolean; transposeB: boolean };
    if (![a, b].every(({ shape, dtype }) => shape.length === 2 && dtype === 'float32')) return null;
    const [first, second] = [a.shape as [number, number], b.shape as [number, number]];
    const [rows, depth] = transposeA ? [first[1], first[0]] : first;
    const [inner, columns] = transposeB ? [second[1], second[0]] : second;
    if (inner !== depth || rows * depth * columns === 0) return null;
    const numbers = [rows, depth, columns, Number(transposeA), Number(transposeB)];
    return runNative(backend, 'MatMul', [a, b], numbers, [[rows, columns]])[0]!;
  },
};
