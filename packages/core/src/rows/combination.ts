import { add, mul, type Tensor, tidy, type Variable } from '@tensorflow/tfjs-core';
import { MultigradError } from '../base/errors.ts';
import { hasKernel, runKernel } from '../kernels/run-kernel.ts';

/** A gradient as a weighted sum `Σ_k weights[k] · rows[k]` of at least one row, not added up yet. */
export interface Combination {
  /** Of the variable's shape; among ranks this rank's slices, flat. */
  readonly rows: readonly Tensor[];
  /** One for each row. */
  readonly weights: readonly number[];
}

/** The gradient of each variable by name; null where there is none. */
export type Combinations = ReadonlyMap<string, Combination | null>;

/** A gradient times a factor: its rows stay, its weights are multiplied. */
export function scaledCombination({ rows, weights }: Combination, factor: number): Combination {
  return { rows, weights: weights.map((weight) => weight * factor) };
}

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

/** The rows under the names that kernels take them by: `row0`, `row1`, …. */
export function namedRows(rows: readonly Tensor[]): Record<string, Tensor> {
  return Object.fromEntries(rows.map((row, k) => [`row${k}`, row]));
}
