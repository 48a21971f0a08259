import { type Tensor, type TensorInfo, util } from '@tensorflow/tfjs-core';
import type { NodeBackend } from '../node-backend.ts';
import { type NativeKernel, runNative } from './native-kernel.ts';

interface Product {
  readonly a: Tensor;
  readonly b: Tensor;
  readonly transposeA: boolean;
  readonly transposeB: boolean;
  /** A number for each column. */
  readonly bias?: Tensor | undefined;
  readonly relu?: boolean;
}

/**
 * Products of float32 matrices, on threads only where that pays. The stock kernel hands even the smallest product to another
 * thread, and waits for it to wake up.
 */
export const batchMatMul: NativeKernel = {
  name: 'BatchMatMul',
  run: ({ inputs, attrs }, backend) => {
    const { transposeA, transposeB } = attrs as { transposeA: boolean; transposeB: boolean };
    const { a, b } = inputs as Record<'a' | 'b', Tensor>;
    return multiply(backend, { a, b, transposeA, transposeB });
  },
};

interface FusedAttributes {
  readonly transposeA: boolean;
  readonly transposeB: boolean;
  readonly activation?: string | null;
}

/** Products with a bias and ReLU in the same pass; other activations run after it. */
export const fusedMatMul: NativeKernel = {
  name: '_FusedMatMul',
  run: ({ inputs, attrs }, backend) => {
    const { a, b, bias } = inputs as { a: Tensor; b: Tensor; bias?: Tensor };
    const { transposeA, transposeB, activation } = attrs as unknown as FusedAttributes;
    const plain = activation === undefined || activation === null || activation === 'linear';
    if (!plain && activation !== 'relu') return null;
    return multiply(backend, { a, b, bias, transposeA, transposeB, relu: !plain });
  },
};

/** Null where one side has to be repeated along some batch axes alone, or nothing is to be multiplied. */
function multiply(
  backend: NodeBackend,
  { a, b, transposeA, transposeB, bias, relu = false }: Product,
): TensorInfo | null {
  const tensors = bias === undefined ? [a, b] : [a, b, bias];
  if (tensors.some(({ dtype }) => dtype !== 'float32') || a.shape.length !== b.shape.length)
    return null;
  const [outerA, outerB] = [a.shape.slice(0, -2), b.shape.slice(0, -2)];
  const [countA, countB] = [util.sizeFromShape(outerA), util.sizeFromShape(outerB)];
  if (!util.arraysEqual(outerA, outerB) && countA !== 1 && countB !== 1) return null;
  const [heightA, widthA] = a.shape.slice(-2) as [number, number];
  const [heightB, widthB] = b.shape.slice(-2) as [number, number];
  const [rows, depth] = transposeA ? [widthA, heightA] : [heightA, widthA];
  const [inner, columns] = transposeB ? [widthB, heightB] : [heightB, widthB];
  const count = Math.max(countA, countB);
  if (inner !== depth || countA * countB * rows * depth * columns === 0) return null;
  if (bias !== undefined && (bias.shape.length !== 1 || bias.shape[0] !== columns)) return null;
  const flags = [transposeA, transposeB, relu].map(Number);
  const numbers = [rows, depth, columns, ...flags, count, Number(countA > 1), Number(countB > 1)];
  const shape = [...(countA === 1 ? outerB : outerA), rows, columns];
  return runNative(backend, 'MatrixProducts', tensors, numbers, [shape])[0]!;
}
