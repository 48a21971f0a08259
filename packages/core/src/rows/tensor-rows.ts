import {
  abs,
  add,
  cast,
  divNoNan,
  fill,
  greater,
  maximum,
  minimum,
  mul,
  sub,
  tensor,
  type Tensor,
} from '@tensorflow/tfjs-core';
import { uniformNumbers } from '../contract/array-rows.ts';
import { sliceFlat } from '../collective/gradient-exchange.ts';
import type { RowAlgebra } from '../contract/row-algebra.ts';

/** Which slice the rows are of a tensor of so many numbers. */
export interface RowSlice {
  readonly rank: number;
  readonly size: number;
  readonly whole: number;
}

/**
 * The operations on tensors of one shape; what they make is freed by the tidy around them.
 *
 * @param slice - where the rows are a rank's slices: its random numbers are the whole tensor's
 */
export function tensorRows(
  name: string,
  shape: readonly number[],
  slice: RowSlice | null = null,
): RowAlgebra<Tensor> {
  const size = slice?.whole ?? shape.reduce((product, side) => product * side, 1);
  const part = (numbers: Float32Array): Float32Array =>
    slice === null ? numbers : sliceFlat(numbers, slice);
  return {
    add: (a, b) => add(a, b),
    subtract: (a, b) => sub(a, b),
    multiply: (a, b) => mul(a, b),
    divide: (a, b) => divNoNan(a, b),
    scale: (a, factor) => mul(a, factor),
    abs: (a) => abs(a),
    minimum: (a, b) => minimum(a, b),
    maximum: (a, b) => maximum(a, b),
    greater: (a, b) => cast(greater(a, b), 'float32'),
    constant: (value) => fill([...shape], value),
    uniform: (seed) => tensor(part(uniformNumbers(seed, name, size)), [...shape], 'float32'),
  };
}
