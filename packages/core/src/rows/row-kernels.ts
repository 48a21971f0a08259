import {
  abs,
  add,
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
import { MultigradError } from '../base/errors.ts';
import { hasKernel, runKernel } from '../kernels/run-kernel.ts';
import type { Gramian } from '../algebra/gramian.ts';

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
  readonly relativeError: number;
}

/** A Gramian after it was read, and the rows that were not finite. */
export interface ReadGramian {
  readonly gramian: Gramian;
  /** Indices of rows with NaN or infinity. */
  readonly nonFinite: readonly number[];
}

/**
 * Starts to compute the K × K inner products of K gradients of one tensor on the device.
 *
 * Rows are divided by their largest magnitude before the products, so that finite float32 gradients of any size
 * neither overflow nor vanish; the factor is put back in float64 after the read.
 */
export function startGramian(rows: readonly Tensor[]): PendingGramian {
  if (hasKernel('GramianOfRows')) {
    const packed = tidy(() => runKernel('GramianOfRows', namedRows(rows))[0]!);
    return { packed, rows: rows.length, parts: 2, relativeError: smallestError };
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
  // The rounding errors of n products in arbitrary order add up like a random walk of n steps.
  const size = rows[0]!.size;
  const rounding = isHalf() ? 2 ** -11 : 2 ** -24;
  const summation = rounding * (4 + 2 * Math.sqrt(size));
  return { packed, rows: rows.length, parts: 1, relativeError: Math.max(smallestError, summation) };
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
  const { rows: size, parts, relativeError } = pending;
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
  return { gramian: { size, values: gramian, relativeError }, nonFinite: [...nonFinite] };
}

/**
 * Computes `Σ_k weights[k] · rows[k]`, a new float32 tensor. Null rows are zeros; rows of weight 0 are left out.
 *
 * @returns null when every row is null
 * @throws MultigradError `non-finite` when a weight is beyond float32
 */
export function combineRows(
  rows: readonly (Tensor | null)[],
  weights: Float64Array,
): Tensor | null {
  const present = rows.flatMap((row, k) => (row === null ? [] : [{ row, weight: weights[k]! }]));
  const [first] = present;
  if (first === undefined) return null;
  checkWeights(present.map(({ weight }) => weight));
  const used = present.filter(({ weight }) => weight !== 0);
  if (used.length === 0 || first.row.size === 0) return tidy(() => mul(first.row, 0));
  if (hasKernel('CombineRows')) {
    const inputs = namedRows(used.map(({ row }) => row));
    const attributes = { weights: used.map(({ weight }) => weight) };
    return tidy(() => runKernel('CombineRows', inputs, attributes)[0]!);
  }
  return tidy(() => used.map(({ row, weight }) => mul(row, weight)).reduce((a, b) => add(a, b)));
}

/** Checks that float32 can hold weights. @throws MultigradError `non-finite` */
export function checkWeights(weights: Iterable<number>): void {
  for (const weight of weights) {
    if (Number.isFinite(Math.fround(weight))) continue;
    throw new MultigradError(
      'non-finite',
      `A weight should be representable in float32. Found ${weight}; scale the losses.`,
    );
  }
}

function dot(a: Tensor, b: Tensor): Tensor {
  const product = mul(a, b);
  // Two levels of summation: shorter chains of additions, smaller rounding.
  return sum(product.rank > 1 ? sum(product, -1) : reshape(product, [product.size]));
}

/** The rows under the names that kernels take them by: `row0`, `row1`, …. */
export function namedRows(rows: readonly Tensor[]): Record<string, Tensor> {
  return Object.fromEntries(rows.map((row, k) => [`row${k}`, row]));
}
