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
import type { RowAlgebra } from '../contract/row-algebra.ts';

/** The position of rows in the whole tensor, where they are slices of it. */
export interface RowPlace {
  readonly begin: number;
  readonly end: number;
  /** Numbers in the whole tensor. */
  readonly whole: number;
}

/**
 * Makes the operations on rows for tensors of one shape. The tidy around frees what they make.
 *
 * @param place - the position of the rows in the whole tensor: random numbers are those of the whole tensor at that position
 */
export function tensorRows(
  name: string,
  shape: readonly number[],
  { whole, begin, end }: RowPlace,
): RowAlgebra<Tensor> {
  const draw = (seed: number): Float32Array =>
    uniformNumbers(seed, name, whole).subarray(begin, end);
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
    uniform: (seed) => tensor(draw(seed), [...shape], 'float32'),
  };
}
