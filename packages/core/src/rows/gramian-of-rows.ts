import {
  abs,
  backend,
  div,
  max,
  maximum,
  mul,
  reshape,
  stack,
  sum,
  type Tensor,
  tidy,
} from '@tensorflow/tfjs-core';
import { hasKernel, runKernel } from '../kernels/run-kernel.ts';
import type { Gramian } from '../algebra/gramian.ts';
import { namedRows } from './combination.ts';

/** Rounding error of a float32 update `Σ w_k g_k` relative to `Σ |w_k| |g_k|`, with room for some more operations. */
export const smallestError: number = 2 ** -22;

/** The smallest divisor: the smallest normal float32 number, or the smallest float16 number. Smaller rows count as zero. */
export function smallest(): number {
  return isHalf() ? 2 ** -24 : 2 ** -126;
}

/** Whether the backend keeps tensors as float16, as WebGL does on many phones. */
function isHalf(): boolean {
  return backend().floatPrecision() === 16;
}

/** A Gramian on the device, in one small tensor that is read together with others. */
export interface PendingGramian {
  /** The rows' largest magnitudes, then the inner products of the scaled rows, pair by pair. */
  readonly packed: Tensor;
  readonly rows: number;
  /** Numbers per inner product: 2 where a kernel returns float64 as high and low part. */
  readonly parts: 1 | 2;
  /** Numbers in each row. */
  readonly length: number;
  /**
   * Where inner products are those of products: how far the gradients of samples may cancel, by the last number in `packed`,
   * for the inner products to be as exact as those of rows.
   */
  readonly mostCancellation?: number;
}

/** A Gramian after it was read, and the rows that were not finite. */
export interface ReadGramian {
  readonly gramian: Gramian;
  /** Indices of rows with NaN or infinity. */
  readonly nonFinite: readonly number[];
}

/** The `relativeError` of inner products of rows of this length, which {@link startGramian} computes. */
export function errorOfProducts(length: number): number {
  return hasKernel('GramianOfRows') ? smallestError : errorOfSums(length);
}

/** The error of a sum of this many products in the backend's own precision, relative to the sum of their magnitudes. */
export function errorOfSums(length: number): number {
  // The rounding errors of n products in arbitrary order add up like a random walk of n steps.
  const rounding = isHalf() ? 2 ** -11 : 2 ** -24;
  return Math.max(smallestError, rounding * (4 + 2 * Math.sqrt(length)));
}

/**
 * Starts to compute the K × K inner products of K gradients of one tensor on the device.
 *
 * Rows are divided by their largest magnitude before the products, so that finite float32 gradients of any size
 * neither overflow nor vanish; the factor is put back in float64 after the read.
 */
export function startGramian(rows: readonly Tensor[]): PendingGramian {
  const length = rows[0]!.size;
  if (hasKernel('GramianOfRows')) {
    const packed = tidy(() => runKernel('GramianOfRows', namedRows(rows))[0]!);
    return { packed, rows: rows.length, parts: 2, length };
  }
  const packed = tidy(() => {
    const magnitudes = rows.map((row) => max(abs(row)));
    const scaled = rows.map((row, k) => div(row, maximum(magnitudes[k]!, smallest())));
    const products: Tensor[] = [];
    for (let i = 0; i < rows.length; i += 1) {
      for (let j = i; j < rows.length; j += 1) products.push(dot(scaled[i]!, scaled[j]!));
    }
    return stack([...magnitudes, ...products]);
  });
  return { packed, rows: rows.length, parts: 1, length };
}

/**
 * Makes float64 inner products from the values read.
 *
 * @param scales - powers of two by which rows were too large: inner products are divided by them
 */
export function finishGramian(
  pending: PendingGramian,
  values: Float32Array,
  scales: readonly number[] = [],
): ReadGramian {
  const { rows: size, parts, length } = pending;
  const gramian = new Float64Array(size * size);
  const nonFinite = new Set<number>();
  const magnitudes = Float64Array.from(
    values.subarray(0, size),
    (value, k) => value / (scales[k] ?? 1),
  );
  let offset = size;
  for (let i = 0; i < size; i += 1) {
    if (!Number.isFinite(magnitudes[i])) nonFinite.add(i);
    for (let j = i; j < size; j += 1) {
      const product = values[offset]! + (parts === 2 ? values[offset + 1]! : 0);
      offset += parts;
      const value = product * magnitudes[i]! * magnitudes[j]!;
      if (i === j && !Number.isFinite(value)) nonFinite.add(i);
      gramian[i * size + j] = value;
      gramian[j * size + i] = value;
    }
  }
  return {
    gramian: { size, values: gramian, relativeError: errorOfProducts(length) },
    nonFinite: [...nonFinite],
  };
}

function dot(a: Tensor, b: Tensor): Tensor {
  const product = mul(a, b);
  // Two levels of summation: shorter chains of additions, smaller rounding.
  return sum(product.rank > 1 ? sum(product, -1) : reshape(product, [product.size]));
}
