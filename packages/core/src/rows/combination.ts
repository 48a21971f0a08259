import { add, mul, type Tensor, tidy, type Variable } from '@tensorflow/tfjs-core';
import { combineRows } from './row-kernels.ts';

/** A gradient that has not been added up: `Σ_k weights[k] · rows[k]`, rows of the variable's shape, at least one. */
export interface Combination {
  readonly rows: readonly Tensor[];
  readonly weights: readonly number[];
}

/** The gradient itself, plus `decay · variable`: a new tensor. */
export function materialise(
  { rows, weights }: Combination,
  variable?: Variable,
  decay = 0,
): Tensor {
  return tidy(() => {
    const sum = combineRows(rows, Float64Array.from(weights))!;
    return variable === undefined || decay === 0 ? sum : add(sum, mul(variable, decay));
  });
}

/** Rows by the names that kernels know them by. */
export function rowInputs({ rows }: Combination): Record<string, Tensor> {
  return Object.fromEntries(rows.map((row, k) => [`row${k}`, row]));
}
