import { MultigradError } from '../base/errors.ts';
import type { Gramian } from './gramian.ts';

/** Rows of numbers: one gradient each, all of the same length. */
export type Jacobian = readonly (readonly number[] | Float32Array | Float64Array)[];

/**
 * The Gramian `G = J Jᵀ` of a Jacobian given as numbers, in float64.
 *
 * Rows are divided by a power of two near their largest magnitude before the products, so that nothing overflows or
 * vanishes on the way.
 * The stated relative error is `(P + 4) · 2⁻⁵³` for rows of P numbers, the bound for a plain sum.
 *
 * A row shorter than 1.5e-154 (2⁻⁵¹¹), whose square float64 cannot hold to all digits, counts as zero throughout.
 *
 * @param jacobian - K rows of P numbers, K >= 1, no longer than 1.3e154
 * @throws MultigradError `invalid-argument` when there is no row or rows differ in length, `non-finite` when an entry
 *   or an inner product is not finite
 *
 * @example
 * ```ts
 * import { gramianOf } from '@multigrad/core/strategy';
 *
 * const { size, values } = gramianOf([
 *   [-4, 1, 1],
 *   [6, 1, 1],
 * ]);
 * console.log(size, values); // 2 [18, -22, -22, 38]
 * ```
 */
export function gramianOf(jacobian: Jacobian): Gramian {
  return gramianOfColumns(jacobian, 0, checkJacobian(jacobian), '');
}

/**
 * Checks that a Jacobian has rows, all of the same length, and finite entries; returns that length.
 *
 * @throws MultigradError `invalid-argument` or `non-finite` naming the row
 */
export function checkJacobian(jacobian: Jacobian): number {
  const columns = jacobian[0]?.length;
  if (columns === undefined) {
    throw new MultigradError(
      'invalid-argument',
      'A Jacobian should have at least one row. Found none.',
    );
  }
  jacobian.forEach((row, k) => {
    if (row.length !== columns) {
      throw new MultigradError(
        'invalid-argument',
        `All rows of a Jacobian should have the same length. Found ${columns} in row 0 and ${row.length} in row ${k}.`,
      );
    }
    for (let c = 0; c < columns; c += 1) {
      if (Number.isFinite(row[c])) continue;
      throw new MultigradError(
        'non-finite',
        `Entries of a Jacobian should be finite. Found ${row[c]} in row ${k}, column ${c}.`,
      );
    }
  });
  return columns;
}

/**
 * The Gramian of the columns start … end − 1 of a Jacobian that has been checked.
 *
 * @param where - what the columns are, for messages: `''` or ` of tensor …`
 */
export function gramianOfColumns(
  jacobian: Jacobian,
  start: number,
  end: number,
  where: string,
): Gramian {
  const size = jacobian.length;
  const scales = Float64Array.from(jacobian, (row) => {
    const scale = scaleOf(row, start, end);
    // All products of such a row are zero, not its square alone, so that the result is still the Gramian of some rows.
    return scaledDot(row, scale, row, scale, start, end) < 2 ** -1022 ? 0 : scale;
  });
  const values = new Float64Array(size * size);
  for (let i = 0; i < size; i += 1) {
    for (let j = i; j < size; j += 1) {
      const product = scaledDot(jacobian[i]!, scales[i]!, jacobian[j]!, scales[j]!, start, end);
      values[i * size + j] = product;
      values[j * size + i] = product;
      if (!Number.isFinite(product)) {
        throw new MultigradError(
          'non-finite',
          `The inner product of rows ${i} and ${j}${where} should be representable in float64. Found ${product}; scale the rows.`,
        );
      }
    }
  }
  return { size, values, relativeError: (end - start + 4) * 2 ** -53 };
}

/** A power of two near the largest magnitude whose reciprocal is finite: scaling by it rounds nothing. 0 for zeros. */
function scaleOf(row: Jacobian[number], start: number, end: number): number {
  let largest = 0;
  for (let c = start; c < end; c += 1) largest = Math.max(largest, Math.abs(row[c]!));
  if (largest === 0) return 0;
  return 2 ** Math.max(-1022, Math.min(1022, Math.floor(Math.log2(largest))));
}

function scaledDot(
  a: Jacobian[number],
  scaleA: number,
  b: Jacobian[number],
  scaleB: number,
  start: number,
  end: number,
): number {
  if (scaleA === 0 || scaleB === 0) return 0;
  const shrinkA = 1 / scaleA;
  const shrinkB = 1 / scaleB;
  let sum = 0;
  for (let c = start; c < end; c += 1) sum += a[c]! * shrinkA * (b[c]! * shrinkB);
  return sum * scaleA * scaleB;
}

/**
 * The Gramian of gradients that are cut into tensors, from those of the tensors: `G = Σ_t G_t`.
 *
 * Its relative error is the largest of the parts' plus `(n − 1) · 2⁻⁵³` for the sum of n parts, since
 * `Σ_t |g_i,t| |g_j,t| <= |g_i| |g_j|`.
 *
 * @param gramians - at least one, all of the same size
 * @throws MultigradError `invalid-argument` when there is none or their sizes differ
 *
 * @example
 * ```ts
 * import { addGramians, gramianOf } from '@multigrad/core/strategy';
 *
 * const kernel = gramianOf([[3, 4], [1, 0]]);
 * const bias = gramianOf([[1], [2]]);
 * console.log(addGramians([kernel, bias]).values); // 26, 5, 5, 5
 * ```
 */
export function addGramians(gramians: Iterable<Gramian>): Gramian {
  let sum: Float64Array | undefined;
  let size = 0;
  let relativeError = 0;
  let count = 0;
  for (const gramian of gramians) {
    sum ??= new Float64Array(gramian.values.length);
    if (count === 0) size = gramian.size;
    if (gramian.size !== size) {
      throw new MultigradError(
        'invalid-argument',
        `Gramians to add should have the same size. Found ${size} and ${gramian.size}.`,
      );
    }
    for (let entry = 0; entry < sum.length; entry += 1) sum[entry]! += gramian.values[entry]!;
    relativeError = Math.max(relativeError, gramian.relativeError);
    count += 1;
  }
  if (sum === undefined) {
    throw new MultigradError(
      'invalid-argument',
      'There should be at least one Gramian to add. Found none.',
    );
  }
  return { size, values: sum, relativeError: relativeError + (count - 1) * 2 ** -53 };
}

/**
 * The Euclidean norms of the gradients, `|g_k| = √G_kk`.
 *
 * @example
 * ```ts
 * import { gramianOf, norms } from '@multigrad/core/strategy';
 *
 * console.log(norms(gramianOf([[3, 4]]))); // [5]
 * ```
 */
export function norms({ size, values }: Gramian): Float64Array {
  const lengths = new Float64Array(size);
  for (let k = 0; k < size; k += 1) lengths[k] = Math.sqrt(values[k * size + k]!);
  return lengths;
}

/**
 * The indices of the lengths that are not zero: the objectives whose gradients are not zero.
 *
 * @example
 * ```ts
 * import { gramianOf, nonZero, norms } from '@multigrad/core/strategy';
 *
 * console.log(nonZero(norms(gramianOf([[1, 2], [0, 0], [0, 3]])))); // [ 0, 2 ]
 * ```
 */
export function nonZero(lengths: Float64Array): number[] {
  const active: number[] = [];
  for (let k = 0; k < lengths.length; k += 1) if (lengths[k]! > 0) active.push(k);
  return active;
}

/**
 * Whether a combination of the gradients is zero because every gradient with a weight is zero.
 *
 * @param weights - K numbers
 *
 * @example
 * ```ts
 * import { gramianOf, isZeroCombination } from '@multigrad/core/strategy';
 *
 * const gramian = gramianOf([[1, 2], [0, 0]]);
 * console.log(isZeroCombination(gramian, Float64Array.of(0, 3))); // true
 * ```
 */
export function isZeroCombination({ size, values }: Gramian, weights: Float64Array): boolean {
  for (let k = 0; k < size; k += 1) {
    if (weights[k] !== 0 && values[k * (size + 1)]! > 0) return false;
  }
  return true;
}

/**
 * The cosine between two gradients, in −1 … 1; 0 where one of them is zero.
 *
 * @example
 * ```ts
 * import { cosine, gramianOf } from '@multigrad/core/strategy';
 *
 * console.log(cosine(gramianOf([[1, 0], [-2, 0]]), 0, 1)); // -1
 * ```
 */
export function cosine({ size, values }: Gramian, i: number, j: number): number {
  const a = Math.sqrt(values[i * size + i]!);
  const b = Math.sqrt(values[j * size + j]!);
  if (a === 0 || b === 0) return 0;
  if (i === j) return 1;
  // One division after the other: no product of norms that could overflow or lose digits.
  return Math.max(-1, Math.min(1, values[i * size + j]! / a / b));
}
