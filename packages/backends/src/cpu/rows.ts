import type { NamedTensorInfoMap } from '@tensorflow/tfjs-core';
import { type CpuBackend, type CpuKernel, valuesOf } from './cpu-kernel.ts';

/** Inner products of K gradients of one tensor, accumulated in float64; the engine of multigrad runs it by name. */
export const gramianOfRows: CpuKernel = {
  name: 'GramianOfRows',
  run: ({ inputs }, backend) => {
    const rows = rowsOf(inputs, backend);
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

/** `Σ weights[k] · row_k` in float64, rounded once. */
export const combineRows: CpuKernel = {
  name: 'CombineRows',
  run: ({ inputs, attrs }, backend) => {
    const rows = rowsOf(inputs, backend);
    const { weights } = attrs as { weights: number[] };
    const { shape } = inputs['row0']!;
    const combined = Float32Array.from(rows[0]!, (_, index) => {
      let sum = 0;
      for (let k = 0; k < rows.length; k += 1) sum += weights[k]! * rows[k]![index]!;
      return sum;
    });
    return backend.makeTensorInfo(shape, 'float32', combined);
  },
};

function rowsOf(inputs: NamedTensorInfoMap, backend: CpuBackend): Float32Array[] {
  return Object.keys(inputs).map((_, k) => valuesOf(backend, inputs[`row${k}`]!));
}

/** NaN if the row holds one. */
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
