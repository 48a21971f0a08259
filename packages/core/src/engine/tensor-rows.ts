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
import { uniformNumbers } from '../strategy/array-rows.ts';
import type { RowAlgebra } from '../strategy/row-algebra.ts';

/** The operations on tensors of one shape; what they make is freed by the tidy around them. */
export function tensorRows(name: string, shape: readonly number[]): RowAlgebra<Tensor> {
  const size = shape.reduce((product, side) => product * side, 1);
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
    uniform: (seed) => tensor(uniformNumbers(seed, name, size), [...shape], 'float32'),
  };
}
