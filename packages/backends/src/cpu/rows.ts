import { anyRowsOf, rowsOf, weightsOf } from '../registry/check-inputs.ts';
import { productNumbers, productsOf } from '../registry/product-inputs.ts';
import { type CpuKernel, valuesOf } from './cpu-kernel.ts';

/**
 * Inner products of the K gradients of one tensor, accumulated in float64. `@multigrad/core` runs it by its name.
 *
 * The output holds K + K (K + 1) numbers: the largest magnitudes m_k, then for each pair i ≤ j the high and the low part of
 * `⟨g_i, g_j⟩ / (m_i · m_j)`, both 0 where m_i or m_j is 0. m_k is NaN or infinite when the row holds such a number.
 */
export const gramianOfRows: CpuKernel = {
  name: 'GramianOfRows',
  run: ({ inputs }, backend) => {
    const rows = rowsOf('GramianOfRows', inputs).map((row) => valuesOf(backend, row));
    const count = rows.length;
    const packed = new Float32Array(count + count * (count + 1));
    rows.forEach((row, k) => (packed[k] = largestMagnitude(row)));
    let target = count;
    for (let i = 0; i < count; i += 1) {
      for (let j = i; j < count; j += 1, target += 2) {
        if (packed[i] === 0 || packed[j] === 0) continue;
        const product = dot(rows[i]!, rows[j]!) / packed[i]! / packed[j]!;
        packed[target] = product;
        packed[target + 1] = product - packed[target]!;
      }
    }
    return backend.makeTensorInfo([packed.length], 'float32', packed);
  },
};

/**
 * Inner products of the K gradients `leftᵀ row_k` of a dense layer's matrix, which are not computed themselves:
 * `⟨g_i, g_j⟩ = Σ_bc ⟨left_b, left_c⟩ ⟨row_ib, row_jc⟩` over the samples b and c, in float64.
 *
 * The output is that of {@link gramianOfRows} with lengths |g_k| in place of magnitudes, then the largest ratio of
 * (Σ_b |left_b| |row_kb|)² to |g_k|².
 */
export const gramianOfProducts: CpuKernel = {
  name: 'GramianOfProducts',
  run: ({ inputs }, backend) => {
    const { left, rows, batch } = productsOf(inputs);
    const values = rows.map((row) => samplesOf(valuesOf(backend, row), batch));
    const count = rows.length;
    const products = new Float64Array(count * count);
    const lengths = new Float64Array(count);
    const samples = samplesOf(valuesOf(backend, left), batch);
    for (let b = 0; b < batch; b += 1) {
      for (let c = 0; c < batch; c += 1) {
        const inner = dot(samples[b]!, samples[c]!);
        for (let i = 0; i < count; i += 1) {
          for (let j = i; j < count; j += 1) {
            const product = inner * dot(values[i]![b]!, values[j]![c]!);
            products[i * count + j]! += product;
            if (i === j && b === c) lengths[i]! += Math.sqrt(product);
          }
        }
      }
    }
    return backend.makeTensorInfo(
      [productNumbers(count)],
      'float32',
      packedProducts(products, lengths),
    );
  },
};

function samplesOf(values: Float32Array, batch: number): readonly Float32Array[] {
  const size = values.length / batch;
  return Array.from({ length: batch }, (_, b) => values.subarray(b * size, (b + 1) * size));
}

/** @param lengths - for each gradient, the sum of the lengths of the samples' gradients */
function packedProducts(products: Float64Array, lengths: Float64Array): Float32Array {
  const count = lengths.length;
  const packed = new Float32Array(productNumbers(count));
  let cancellation = 0;
  lengths.forEach((length, k) => {
    const square = products[k * (count + 1)]!;
    // Rounding may leave a little below zero.
    packed[k] = square < 0 ? 0 : Math.sqrt(square);
    if (length !== 0)
      cancellation = Math.max(cancellation, square <= 0 ? Infinity : length ** 2 / square);
  });
  let target = count;
  for (let i = 0; i < count; i += 1) {
    for (let j = i; j < count; j += 1, target += 2) {
      if (packed[i] === 0 || packed[j] === 0) continue;
      const product = products[i * count + j]! / packed[i]! / packed[j]!;
      packed[target] = product;
      packed[target + 1] = product - packed[target]!;
    }
  }
  packed[target] = cancellation;
  return packed;
}

/** `Σ weights[k] · row_k` in float64, rounded once. */
export const combineRows: CpuKernel = {
  name: 'CombineRows',
  run: ({ inputs, attrs }, backend) => {
    const rows = rowsOf('CombineRows', inputs).map((row) => valuesOf(backend, row));
    const weights = weightsOf('CombineRows', attrs ?? {}, rows.length);
    const sums = new Float64Array(rows[0]!.length);
    // Goes row by row: each row takes one pass over memory, and no function is called for each number.
    rows.forEach((row, k) => addScaled(sums, weights[k]!, row));
    return backend.makeTensorInfo([...inputs['row0']!.shape], 'float32', new Float32Array(sums));
  },
};

/** For each row, 1 if all its numbers are finite, else 0. Rows may have any sizes. */
export const finiteRows: CpuKernel = {
  name: 'FiniteRows',
  run: ({ inputs }, backend) => {
    const rows = anyRowsOf('FiniteRows', inputs).map((row) => valuesOf(backend, row));
    const finite = Float32Array.from(rows, (row) => (row.every(Number.isFinite) ? 1 : 0));
    return backend.makeTensorInfo([rows.length], 'float32', finite);
  },
};

/** The largest magnitude in a row; NaN if the row holds a NaN. */
function largestMagnitude(row: Float32Array): number {
  let largest = 0;
  for (const value of row) {
    const magnitude = Math.abs(value);
    if (Number.isNaN(magnitude)) return NaN;
    if (magnitude > largest) largest = magnitude;
  }
  return largest;
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i += 1) sum += a[i]! * b[i]!;
  return sum;
}

function addScaled(sums: Float64Array, weight: number, row: Float32Array): void {
  for (let i = 0; i < row.length; i += 1) sums[i]! += weight * row[i]!;
}
