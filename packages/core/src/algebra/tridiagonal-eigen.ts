import { workNumbers } from './work-array.ts';

const diagonals = workNumbers();
const offDiagonals = workNumbers();
const reflections = workNumbers();
const images = workNumbers();

/** Entries below this, relative to the matrix's largest, are left out: their squares are not representable. */
const negligible = 2 ** -500;

/**
 * Diagonalises a symmetric matrix in place by Householder's reduction to tridiagonal form and QR steps with Wilkinson's
 * shift: some 6 n³ operations, where Jacobi rotations take many times as many.
 *
 * @param matrix - size × size, row-major, symmetric, entries near 1; afterwards the diagonal holds the eigenvalues
 * @param rows - the identity; afterwards row k is the eigenvector of diagonal entry k
 *
 * @see Golub and Van Loan, Matrix Computations, 4th edition (2013), section 8.3
 */
export function diagonaliseTridiagonal(
  matrix: Float64Array,
  rows: Float64Array,
  size: number,
): void {
  const offDiagonal = reduce(matrix, rows, size);
  const diagonal = diagonals.of(size);
  for (let k = 0; k < size; k += 1) diagonal[k] = matrix[k * size + k]!;
  let last = size - 1;
  while (last > 0) {
    if (splits(diagonal, offDiagonal, last - 1)) {
      last -= 1;
      continue;
    }
    let first = last - 1;
    while (first > 0 && !splits(diagonal, offDiagonal, first - 1)) first -= 1;
    shiftedStep(diagonal, offDiagonal, rows, first, last);
  }
  for (let k = 0; k < size; k += 1) matrix[k * size + k] = diagonal[k]!;
}

/** Whether the entry between rows k and k + 1 is zero within the diagonal's rounding. */
function splits(diagonal: Float64Array, offDiagonal: Float64Array, k: number): boolean {
  const entry = Math.abs(offDiagonal[k]!);
  const beside = Math.abs(diagonal[k]!) + Math.abs(diagonal[k + 1]!);
  return entry <= negligible || entry <= 2 ** -53 * beside;
}

/** A = Q T Qᵀ: leaves T's diagonal in the matrix and Qᵀ in `rows`, returns T's off-diagonal. */
function reduce(matrix: Float64Array, rows: Float64Array, size: number): Float64Array {
  const offDiagonal = offDiagonals.zeros(size);
  const factors = reflections.zeros(size);
  const image = images.of(size);
  for (let k = 0; k < size - 1; k += 1) {
    const start = k * size;
    const head = matrix[start + k + 1]!;
    let tail = 0;
    for (let j = k + 2; j < size; j += 1) tail += matrix[start + j]! * matrix[start + j]!;
    offDiagonal[k] = head;
    if (tail <= negligible * negligible) continue;
    // The reflection that turns the row's rest into one entry, of the sign that cancels nothing.
    const reflected = -Math.sign(head || 1) * Math.sqrt(head * head + tail);
    const lead = head - reflected;
    offDiagonal[k] = reflected;
    matrix[start + k + 1] = lead;
    factors[k] = 2 / (lead * lead + tail);
    reflectBlock(matrix, image, size, k, factors[k]!);
  }
  for (let k = size - 3; k >= 0; k -= 1) {
    if (factors[k] !== 0) reflectRows(matrix, rows, size, k, factors[k]!);
  }
  return offDiagonal;
}

/** Applies the reflection kept in row k from both sides to the block below it: A − v wᵀ − w vᵀ. */
function reflectBlock(
  matrix: Float64Array,
  image: Float64Array,
  size: number,
  k: number,
  factor: number,
): void {
  const start = k * size;
  let along = 0;
  for (let i = k + 1; i < size; i += 1) {
    let sum = 0;
    for (let j = k + 1; j < size; j += 1) sum += matrix[i * size + j]! * matrix[start + j]!;
    image[i] = factor * sum;
    along += image[i]! * matrix[start + i]!;
  }
  for (let i = k + 1; i < size; i += 1) image[i]! -= (factor / 2) * along * matrix[start + i]!;
  for (let i = k + 1; i < size; i += 1) {
    const direction = matrix[start + i]!;
    const other = image[i]!;
    for (let j = k + 1; j < size; j += 1) {
      matrix[i * size + j]! -= direction * image[j]! + other * matrix[start + j]!;
    }
  }
}

/** Qᵀ ← Qᵀ H_k; from the last reflection to the first only the block below k is not the identity yet. */
function reflectRows(
  matrix: Float64Array,
  rows: Float64Array,
  size: number,
  k: number,
  factor: number,
): void {
  const start = k * size;
  for (let i = k + 1; i < size; i += 1) {
    let sum = 0;
    for (let j = k + 1; j < size; j += 1) sum += rows[i * size + j]! * matrix[start + j]!;
    sum *= factor;
    for (let j = k + 1; j < size; j += 1) rows[i * size + j]! -= sum * matrix[start + j]!;
  }
}

/** One implicit QR step on the rows first … last of T, whose off-diagonal entries are all non-zero. */
function shiftedStep(
  diagonal: Float64Array,
  offDiagonal: Float64Array,
  rows: Float64Array,
  first: number,
  last: number,
): void {
  const size = diagonal.length;
  // Wilkinson's shift: the eigenvalue of the last 2 × 2 block that is nearer to its last entry.
  const corner = offDiagonal[last - 1]!;
  const half = (diagonal[last - 1]! - diagonal[last]!) / 2;
  const far = half + (half < 0 ? -1 : 1) * Math.sqrt(half * half + corner * corner);
  let kept = diagonal[first]! - (diagonal[last]! - (corner / far) * corner);
  let bulge = offDiagonal[first]!;
  for (let k = first; k < last; k += 1) {
    const length = Math.sqrt(kept * kept + bulge * bulge);
    const cosine = length === 0 ? 1 : kept / length;
    const sine = length === 0 ? 0 : bulge / length;
    if (k > first) offDiagonal[k - 1] = length;
    const upper = diagonal[k]!;
    const lower = diagonal[k + 1]!;
    const between = offDiagonal[k]!;
    // The amount that moves from one diagonal entry to the other: their sum stays.
    const moved = sine * (sine * (lower - upper) + 2 * cosine * between);
    diagonal[k] = upper + moved;
    diagonal[k + 1] = lower - moved;
    offDiagonal[k] = cosine * sine * (lower - upper) + (cosine - sine) * (cosine + sine) * between;
    if (k + 1 < last) {
      kept = offDiagonal[k]!;
      bulge = sine * offDiagonal[k + 1]!;
      offDiagonal[k + 1]! *= cosine;
    }
    const rowP = k * size;
    const rowQ = rowP + size;
    for (let j = 0; j < size; j += 1) {
      const a = rows[rowP + j]!;
      const b = rows[rowQ + j]!;
      rows[rowP + j] = cosine * a + sine * b;
      rows[rowQ + j] = cosine * b - sine * a;
    }
  }
}
