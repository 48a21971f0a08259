/** Off-diagonal entries below this, relative to the matrix's largest, are left: their squares are not representable. */
const negligible = 2 ** -500;

/**
 * Diagonalises a symmetric matrix in place by cyclic Jacobi rotations.
 *
 * @param matrix - size × size, row-major, entries near 1, of which the upper triangle is read; afterwards the diagonal
 *   holds the eigenvalues
 * @param rows - the identity; afterwards row k is the eigenvector of diagonal entry k
 *
 * @see Golub and Van Loan, Matrix Computations, 4th edition (2013), section 8.5
 */
export function diagonaliseJacobi(matrix: Float64Array, rows: Float64Array, size: number): void {
  // Each rotation takes 2 a_pq² from the off-diagonal squares, and soon the rest shrinks quadratically.
  while (rotateEveryPair(matrix, rows, size));
}

/** Rotates each off-diagonal entry that is not negligible to zero once, row by row; returns whether there was one. */
function rotateEveryPair(matrix: Float64Array, rows: Float64Array, size: number): boolean {
  let rotated = false;
  for (let p = 0; p < size - 1; p += 1) {
    for (let q = p + 1; q < size; q += 1) {
      const entry = Math.abs(matrix[p * size + q]!);
      if (entry <= negligible) continue;
      const across =
        Math.sqrt(Math.abs(matrix[p * size + p]!)) * Math.sqrt(Math.abs(matrix[q * size + q]!));
      // Relative to its own two rows: small eigenvalues of a matrix of unequal rows keep their digits.
      if (entry <= 2 ** -53 * across) continue;
      rotate(matrix, rows, size, p, q);
      rotated = true;
    }
  }
  return rotated;
}

/** One rotation in the plane of p < q that makes their off-diagonal entry zero; touches the upper triangle alone. */
function rotate(
  matrix: Float64Array,
  rows: Float64Array,
  size: number,
  p: number,
  q: number,
): void {
  const rowP = p * size;
  const rowQ = q * size;
  const entry = matrix[rowP + q]!;
  const theta = (matrix[rowQ + q]! - matrix[rowP + p]!) / 2 / entry;
  // The smaller of the two angles, at most 45 degrees: with the larger one cyclic rotations need not converge.
  const steep = Math.abs(theta);
  // √(θ² + 1) is |θ| to the last bit long before its square overflows.
  const tangent =
    (theta < 0 ? -1 : 1) / (steep + (steep < 2 ** 27 ? Math.sqrt(steep * steep + 1) : steep));
  const cosine = 1 / Math.sqrt(tangent * tangent + 1);
  const sine = tangent * cosine;
  matrix[rowP + p]! -= tangent * entry;
  matrix[rowQ + q]! += tangent * entry;
  matrix[rowP + q] = 0;
  for (let j = 0, row = 0; j < p; j += 1, row += size) {
    const a = matrix[row + p]!;
    const b = matrix[row + q]!;
    matrix[row + p] = cosine * a - sine * b;
    matrix[row + q] = sine * a + cosine * b;
  }
  for (let j = p + 1, row = j * size; j < q; j += 1, row += size) {
    const a = matrix[rowP + j]!;
    const b = matrix[row + q]!;
    matrix[rowP + j] = cosine * a - sine * b;
    matrix[row + q] = sine * a + cosine * b;
  }
  for (let j = q + 1; j < size; j += 1) {
    const a = matrix[rowP + j]!;
    const b = matrix[rowQ + j]!;
    matrix[rowP + j] = cosine * a - sine * b;
    matrix[rowQ + j] = sine * a + cosine * b;
  }
  for (let j = 0; j < size; j += 1) {
    const a = rows[rowP + j]!;
    const b = rows[rowQ + j]!;
    rows[rowP + j] = cosine * a - sine * b;
    rows[rowQ + j] = sine * a + cosine * b;
  }
}
