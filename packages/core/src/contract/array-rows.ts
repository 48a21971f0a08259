import { randomState, resumeRandom } from '../algebra/random.ts';
import type { RowAlgebra } from './row-algebra.ts';

/** The row operations on arrays of float64 numbers of one tensor. */
export function arrayRows(tensor: string, length: number): RowAlgebra<Float64Array> {
  const pairwise =
    (of: (a: number, b: number) => number) =>
    (a: Float64Array, b: Float64Array): Float64Array =>
      a.map((value, c) => of(value, b[c]!));
  return {
    add: pairwise((a, b) => a + b),
    subtract: pairwise((a, b) => a - b),
    multiply: pairwise((a, b) => a * b),
    divide: pairwise((a, b) => (b === 0 ? 0 : a / b)),
    scale: (a, factor) => a.map((value) => factor * value),
    abs: (a) => a.map(Math.abs),
    minimum: pairwise(Math.min),
    maximum: pairwise(Math.max),
    greater: pairwise((a, b) => (a > b ? 1 : 0)),
    constant: (value) => new Float64Array(length).fill(value),
    uniform: (seed) => Float64Array.from(uniformNumbers(seed, tensor, length)),
  };
}

/** Uniform numbers in [0, 1) that float32 holds exactly, so that all engines draw the same numbers. */
export function uniformNumbers(seed: number, tensor: string, length: number): Float32Array {
  const random = resumeRandom(randomState(seed, 'rows', tensor));
  // Rounded down to a multiple of 2⁻²⁴: rounding to the nearest could reach 1.
  return Float32Array.from({ length }, () => Math.floor(random.uniform() * 2 ** 24) * 2 ** -24);
}
