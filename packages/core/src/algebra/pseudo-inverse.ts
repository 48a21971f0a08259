import { definiteInverse } from './definite-inverse.ts';
import { MultigradError } from '../base/errors.ts';
import type { Gramian } from './gramian.ts';
import { symmetricEigen } from './symmetric-eigen.ts';

/** The Moore–Penrose inverse of a Gramian. */
export interface PseudoInverse {
  /** K × K entries, row-major, symmetric to the last bit. */
  readonly values: Float64Array;
  /** Number of eigenvalues that count as not zero, 0 … K: the dimension that the gradients span. */
  readonly rank: number;
}

/**
 * The Moore–Penrose inverse of a Gramian, `G⁺ = Σ_k v_k v_kᵀ / λ_k` over the eigenvalues that are not zero.
 *
 * Eigenvalues of at most `K · max(relativeError, 2⁻⁵²) · λ_max` count as zero: the entries' errors can move an
 * eigenvalue by `relativeError · trace G`, which is no more than that. A smaller eigenvalue cannot be told from zero.
 *
 * @remarks
 * The rank is that of the whole matrix. A gradient whose squared norm is smaller than the bound against the others'
 * counts as zero too; where lengths differ by so much, divide rows and columns by the norms first.
 *
 * @throws MultigradError `invalid-argument` when the Gramian's size does not match its values or they are not
 *   symmetric, `non-finite` when an entry of it or of the inverse is not finite
 *
 * @see Penrose, A generalized inverse for matrices, Mathematical Proceedings of the Cambridge Philosophical Society 51
 *   (1955)
 *
 * @example
 * ```ts
 * import { gramianOf, pseudoInverse } from '@multigrad/core/strategy';
 *
 * // The third row is the sum of the others.
 * const { values, rank } = pseudoInverse(gramianOf([[1, 0], [0, 1], [1, 1]]));
 * console.log(rank); // 2
 * console.log(values); // 5/9, -4/9, 1/9; -4/9, 5/9, 1/9; 1/9, 1/9, 2/9
 * ```
 */
export function pseudoInverse(gramian: Gramian): PseudoInverse {
  const { size, relativeError } = gramian;
  const definite = definiteInverse(gramian);
  if (definite !== null) return { values: definite, rank: size };
  const { eigenvalues, eigenvectors } = symmetricEigen(gramian.values, size);
  const cutoff = size * Math.max(relativeError, 2 ** -52) * eigenvalues[0]!;
  // A largest eigenvalue of zero or less is that of zero gradients.
  const rank =
    eigenvalues[0]! > 0 ? eigenvalues.filter((eigenvalue) => eigenvalue > cutoff).length : 0;
  const values = new Float64Array(size * size);
  for (let i = 0; i < size; i += 1) {
    for (let j = i; j < size; j += 1) {
      let sum = 0;
      for (let k = 0; k < rank; k += 1) {
        sum += (eigenvectors[i * size + k]! * eigenvectors[j * size + k]!) / eigenvalues[k]!;
      }
      if (!Number.isFinite(sum)) {
        throw new MultigradError(
          'non-finite',
          `Entries of a pseudo-inverse should be representable in float64. ` +
            `Found ${sum} in row ${i}, column ${j}; scale the Gramian.`,
        );
      }
      values[i * size + j] = sum;
      values[j * size + i] = sum;
    }
  }
  return { values, rank };
}
