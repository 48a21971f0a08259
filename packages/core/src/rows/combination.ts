import { add, mul, type Tensor, tidy, type Variable } from '@tensorflow/tfjs-core';
import { combineRows } from './row-kernels.ts';

/** A gradient as a weighted sum `Σ_k weights[k] · rows[k]` of at least one row, not added up yet. */
export interface Combination {
  /** Of the variable's shape; among ranks this rank's slices, flat. */
  readonly rows: readonly Tensor[];
  /** One for each row. */
  readonly weights: readonly number[];
}

/** The gradient of each variable by name; null where there is none. */
export type Combinations = ReadonlyMap<string, Combination | null>;

/** Adds up a gradient, plus `decay · variable`: a new tensor. A single row of weight 1 is cloned and shares its data. */
export function materialise(
  { rows, weights }: Combination,
  variable?: Variable,
  decay = 0,
): Tensor {
  return tidy(() => {
    const lone = rows.length === 1 && weights[0] === 1;
    const sum = lone ? rows[0]!.clone() : combineRows(rows, Float64Array.from(weights))!;
    return variable === undefined || decay === 0 ? sum : add(sum, mul(variable, decay));
  });
}

/** The rows under the names that kernels take them by: `row0`, `row1`, …. */
export function rowInputs({ rows }: Combination): Record<string, Tensor> {
  return Object.fromEntries(rows.map((row, k) => [`row${k}`, row]));
}
