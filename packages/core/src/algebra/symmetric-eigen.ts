import { MultigradError } from '../base/errors.ts';
import { diagonaliseJacobi } from './jacobi-eigen.ts';
import { diagonaliseTridiagonal } from './tridiagonal-eigen.ts';
import { WorkArray, workNumbers } from './work-array.ts';

/** Eigenvalues and eigenvectors of a symmetric matrix: `A = V diag(λ) Vᵀ`. */
export interface SymmetricEigen {
  /** λ, in descending order. */
  readonly eigenvalues: Float64Array;
  /** V, size × size, row-major, orthogonal: column k is the unit eigenvector of `eigenvalues[k]`. */
  readonly eigenvectors: Float64Array;
}

const matrices = workNumbers();
const vectors = workNumbers();
const orders = new WorkArray((length) => new Int32Array(length));

/** Up to this size Jacobi rotations are as fast as the reduction. */
const smallSizes = 4;

/** Up to this size Jacobi rotations take a few milliseconds at most. */
const jacobiSizes = 32;

/**
 * The eigenvalues and eigenvectors of a symmetric matrix, in float64: by cyclic Jacobi rotations where it is
 * small or its rows are of unlike size (up to 32), else by reduction to tridiagonal form.
 *
 * `A v_k = λ_k v_k` with `λ_1 >= λ_2 >= …`. The matrix is divided by a power of two near its largest entry first, so
 * nothing overflows or vanishes on the way; the eigenvalues' error is a small multiple of `size · 2⁻⁵³ · max |λ|`.
 * An eigenvector's sign is arbitrary, and so is the basis of an eigenspace of several dimensions.
 *
 * @param values - size × size finite entries, row-major, equal across the diagonal to the last bit
 * @param size - number of rows, an integer >= 1; the work grows with its cube
 * @throws MultigradError `invalid-argument` when the number of entries is not size² or the matrix is not symmetric,
 *   `non-finite` when an entry or an eigenvalue is not finite
 *
 * @see Golub and Van Loan, Matrix Computations, 4th edition (2013), sections 8.3 and 8.5
 *
 * @example
 * ```ts
 * import { symmetricEigen } from '@multigrad/core/strategy';
 *
 * const { eigenvalues, eigenvectors } = symmetricEigen(Float64Array.of(2, 1, 1, 2), 2);
 * console.log(eigenvalues); // 3, 1
 * // The columns are along (1, 1) and (1, -1).
 * console.log(eigenvectors); // 0.707, 0.707, 0.707, -0.707
 * ```
 */
export function symmetricEigen(values: Float64Array, size: number): SymmetricEigen {
  const scale = checkedScale(values, size);
  const matrix = matrices.of(size * size);
  for (let at = 0; at < matrix.length; at += 1) matrix[at] = values[at]! / scale;
  // Eigenvectors are stored as rows during the rotations, so that a rotation runs along memory.
  const rows = vectors.zeros(size * size);
  for (let k = 0; k < size; k += 1) rows[k * size + k] = 1;
  // Both methods keep the stated error. Rotations keep more digits of small eigenvalues where rows are of unlike size;
  // the reduction takes less time.
  const rotations = size <= smallSizes || (size <= jacobiSizes && !isEven(matrix, size));
  const diagonalise = rotations ? diagonaliseJacobi : diagonaliseTridiagonal;
  diagonalise(matrix, rows, size);

  const order = descendingDiagonal(matrix, size);
  const eigenvalues = new Float64Array(size);
  for (let at = 0; at < size; at += 1) eigenvalues[at] = matrix[order[at]! * (size + 1)]! * scale;
  for (let k = 0; k < size; k += 1) {
    if (Number.isFinite(eigenvalues[k])) continue;
    throw new MultigradError(
      'non-finite',
      `The eigenvalues of a matrix should be representable in float64. Found ${eigenvalues[k]}; scale the matrix.`,
    );
  }
  const eigenvectors = new Float64Array(size * size);
  for (let column = 0; column < size; column += 1) {
    const start = order[column]! * size;
    for (let i = 0; i < size; i += 1) eigenvectors[i * size + column] = rows[start + i]!;
  }
  return { eigenvalues, eigenvectors };
}

/** Whether the diagonal's entries are positive and within three decimal orders. */
function isEven(matrix: Float64Array, size: number): boolean {
  let least = Infinity;
  let most = 0;
  for (let k = 0; k < size; k += 1) {
    const value = matrix[k * (size + 1)]!;
    least = Math.min(least, value);
    most = Math.max(most, value);
  }
  return least * 1024 > most;
}

/** The rows of the diagonal's entries in descending order. */
function descendingDiagonal(matrix: Float64Array, size: number): Int32Array {
  const order = orders.of(size);
  for (let row = 0; row < size; row += 1) {
    const value = matrix[row * (size + 1)]!;
    let at = row;
    for (; at > 0 && matrix[order[at - 1]! * (size + 1)]! < value; at -= 1) {
      order[at] = order[at - 1]!;
    }
    order[at] = row;
  }
  return order;
}

/** A power of two near the largest magnitude (dividing by it rounds nothing); 1 for the zero matrix. */
function checkedScale(values: Float64Array, size: number): number {
  if (!Number.isInteger(size) || size < 1 || values.length !== size * size) {
    throw new MultigradError(
      'invalid-argument',
      `A symmetric matrix should have size × size entries, with an integer size >= 1. ` +
        `Found size ${size} and ${values.length} entries.`,
    );
  }
  let largest = 0;
  for (let i = 0; i < size; i += 1) {
    for (let j = 0; j < size; j += 1) {
      const value = values[i * size + j]!;
      if (!Number.isFinite(value)) {
        throw new MultigradError(
          'non-finite',
          `Entries of a matrix should be finite. Found ${value} in row ${i}, column ${j}.`,
        );
      }
      const mirrored = values[j * size + i]!;
      // A mirrored entry that is not finite is named where the loop meets it.
      if (j < i && value !== mirrored) {
        throw new MultigradError(
          'invalid-argument',
          `A symmetric matrix should have equal entries across its diagonal. ` +
            `Found ${mirrored} in row ${j}, column ${i} and ${value} in row ${i}, column ${j}.`,
        );
      }
      largest = Math.max(largest, Math.abs(value));
    }
  }
  return largest === 0 ? 1 : 2 ** Math.floor(Math.log2(largest));
}
