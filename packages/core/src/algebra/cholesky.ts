import { workNumbers } from './work-array.ts';

const forward = workNumbers();

// The Cholesky factor of some rows and columns of a symmetric matrix, which grows by rows. `entered` lists those rows in
// the order in which they entered. Row k of the factor starts at k times the size of the matrix; its first k + 1 entries
// are in use. A ridge is a number added to the diagonal.

/**
 * Appends the row at the place `count` of `entered`.
 *
 * @returns whether its pivot is above rounding; if not, the row depends on those before it
 */
export function appendRow(
  matrix: Float64Array,
  ridge: number,
  factor: Float64Array,
  entered: Int32Array,
  count: number,
): boolean {
  const size = entered.length;
  const row = count * size;
  const start = entered[count]! * size;
  for (let k = 0; k < count; k += 1) {
    const other = k * size;
    let value = matrix[start + entered[k]!]!;
    for (let m = 0; m < k; m += 1) value -= factor[row + m]! * factor[other + m]!;
    factor[row + k] = value / factor[other + k]!;
  }
  return closeRow(matrix, ridge, factor, entered, count);
}

/**
 * Appends the rows at the places `from` … `to − 1` of `entered`: two at a time, so that four inner products share what
 * they read.
 *
 * @returns whether all pivots are above rounding
 */
export function appendRows(
  matrix: Float64Array,
  ridge: number,
  factor: Float64Array,
  entered: Int32Array,
  from: number,
  to: number,
): boolean {
  const size = entered.length;
  let count = from;
  if (count % 2 === 1 && count < to) {
    if (!appendRow(matrix, ridge, factor, entered, count)) return false;
    count += 1;
  }
  for (; count + 1 < to; count += 2) {
    const upper = count * size;
    const lower = upper + size;
    const first = entered[count]! * size;
    const second = entered[count + 1]! * size;
    for (let k = 0; k < count; k += 2) {
      const left = k * size;
      const right = left + size;
      let upperLeft = matrix[first + entered[k]!]!;
      let upperRight = matrix[first + entered[k + 1]!]!;
      let lowerLeft = matrix[second + entered[k]!]!;
      let lowerRight = matrix[second + entered[k + 1]!]!;
      for (let m = 0; m < k; m += 1) {
        const a = factor[upper + m]!;
        const b = factor[lower + m]!;
        const c = factor[left + m]!;
        const d = factor[right + m]!;
        upperLeft -= a * c;
        upperRight -= a * d;
        lowerLeft -= b * c;
        lowerRight -= b * d;
      }
      upperLeft /= factor[left + k]!;
      lowerLeft /= factor[left + k]!;
      const below = factor[right + k]!;
      const corner = factor[right + k + 1]!;
      factor[upper + k] = upperLeft;
      factor[upper + k + 1] = (upperRight - upperLeft * below) / corner;
      factor[lower + k] = lowerLeft;
      factor[lower + k + 1] = (lowerRight - lowerLeft * below) / corner;
    }
    if (!closeRow(matrix, ridge, factor, entered, count)) return false;
    let value = matrix[second + entered[count]!]!;
    for (let m = 0; m < count; m += 1) value -= factor[lower + m]! * factor[upper + m]!;
    factor[lower + count] = value / factor[upper + count]!;
    if (!closeRow(matrix, ridge, factor, entered, count + 1)) return false;
  }
  return count >= to || appendRow(matrix, ridge, factor, entered, count);
}

/**
 * Computes the last entry of a row whose other entries are known; returns false where its square is not above rounding.
 */
function closeRow(
  matrix: Float64Array,
  ridge: number,
  factor: Float64Array,
  entered: Int32Array,
  count: number,
): boolean {
  const size = entered.length;
  const row = count * size;
  const diagonal = matrix[entered[count]! * (size + 1)]! + ridge;
  let pivot = diagonal;
  for (let k = 0; k < count; k += 1) pivot -= factor[row + k]! * factor[row + k]!;
  if (!(pivot > (count + 2) * Number.EPSILON * diagonal)) return false;
  factor[row + count] = Math.sqrt(pivot);
  return true;
}

/** Fixed cost of a {@link removeRow} in {@link isRemovalCheaper}, in numbers that factoring again would process. */
const begun = 1000;

/**
 * Whether it is cheaper to remove the rows at `places` one by one than to factor all rows behind the first of them
 * again.
 */
export function isRemovalCheaper(places: readonly number[], count: number): boolean {
  const first = places[0]!;
  const left = count - places.length;
  let removals = 0;
  for (const place of places) removals += begun + 1.5 * (count - place) ** 2;
  return removals < (left ** 3 - first ** 3) / 6;
}

/**
 * Removes the row at a place from a factor of `count` rows. The rows behind it move up by one. Rotations, which lose no
 * digits, merge the column that is left over into the others.
 *
 * @param turns - work space, twice the size of the matrix
 *
 * @see Golub and Van Loan, Matrix Computations (2013), section 6.5.4
 */
export function removeRow(
  factor: Float64Array,
  size: number,
  place: number,
  count: number,
  turns: Float64Array,
): void {
  for (let k = place; k < count - 1; k += 2) {
    const row = k * size;
    for (let m = 0; m < place; m += 1) factor[row + m] = factor[row + size + m]!;
    // Two rows at a time, so that the sum of one row need not wait for that of the other.
    const both = k + 2 < count;
    const next = both ? row + size : row;
    if (both) for (let m = 0; m < place; m += 1) factor[next + m] = factor[next + size + m]!;
    let over = factor[row + size + place]!;
    let overNext = both ? factor[next + size + place]! : 0;
    for (let m = place; m < k; m += 1) {
      const cosine = turns[2 * m]!;
      const sine = turns[2 * m + 1]!;
      const value = factor[row + size + m + 1]!;
      const valueNext = factor[next + size + m + 1]!;
      factor[row + m] = cosine * value + sine * over;
      over = cosine * over - sine * value;
      if (both) factor[next + m] = cosine * valueNext + sine * overNext;
      overNext = cosine * overNext - sine * valueNext;
    }
    close(factor, row, size, k, over, turns);
    if (!both) return;
    const cosine = turns[2 * k]!;
    const sine = turns[2 * k + 1]!;
    const value = factor[next + size + k + 1]!;
    factor[next + k] = cosine * value + sine * overNext;
    close(factor, next, size, k + 1, cosine * overNext - sine * value, turns);
  }
}

/** Computes the diagonal entry of a row that moves up, and the rotation that merges its leftover entry into it. */
function close(
  factor: Float64Array,
  row: number,
  size: number,
  k: number,
  over: number,
  turns: Float64Array,
): void {
  const pivot = factor[row + size + k + 1]!;
  const length = Math.sqrt(pivot * pivot + over * over);
  turns[2 * k] = pivot / length;
  turns[2 * k + 1] = over / length;
  factor[row + k] = length;
}

/**
 * Solves `H_SS target_S = b_S` by the factor of the `count` rows S that entered; b starts at the place `start` of
 * `vector`.
 */
export function solveFactored(
  factor: Float64Array,
  entered: Int32Array,
  count: number,
  vector: Float64Array,
  start: number,
  target: Float64Array,
): void {
  const halves = forward.of(2 * count);
  solveForward(factor, entered, 0, count, vector, start, halves);
  solveBackward(factor, entered, count, halves, target);
}

/**
 * Solves `L z = b_S` for the places `from` … `count − 1` of z; those before them are known. It takes two rows at a
 * time, so that neither sum waits for the other.
 */
export function solveForward(
  factor: Float64Array,
  entered: Int32Array,
  from: number,
  count: number,
  vector: Float64Array,
  start: number,
  solved: Float64Array,
): void {
  const size = entered.length;
  let k = from;
  for (; k + 1 < count; k += 2) {
    const row = k * size;
    const next = row + size;
    let value = vector[start + entered[k]!]!;
    let nextValue = vector[start + entered[k + 1]!]!;
    for (let m = 0; m < k; m += 1) {
      const known = solved[m]!;
      value -= factor[row + m]! * known;
      nextValue -= factor[next + m]! * known;
    }
    value /= factor[row + k]!;
    solved[k] = value;
    solved[k + 1] = (nextValue - factor[next + k]! * value) / factor[next + k + 1]!;
  }
  if (k === count) return;
  let value = vector[start + entered[k]!]!;
  for (let m = 0; m < k; m += 1) value -= factor[k * size + m]! * solved[m]!;
  solved[k] = value / factor[k * size + k]!;
}

/**
 * Solves `Lᵀ target_S = z`. It goes along the factor's rows, two at a time, and subtracts the part of each solved
 * number from the numbers before it.
 *
 * @param halves - z in the first `count` places, work space in as many behind them
 */
export function solveBackward(
  factor: Float64Array,
  entered: Int32Array,
  count: number,
  halves: Float64Array,
  target: Float64Array,
): void {
  const size = entered.length;
  for (let k = 0; k < count; k += 1) halves[count + k] = halves[k]!;
  let k = count - 1;
  for (; k > 0; k -= 2) {
    const row = k * size;
    const next = row - size;
    const value = halves[count + k]! / factor[row + k]!;
    const nextValue =
      (halves[count + k - 1]! - factor[row + k - 1]! * value) / factor[next + k - 1]!;
    target[entered[k]!] = value;
    target[entered[k - 1]!] = nextValue;
    for (let m = 0; m < k - 1; m += 1) {
      halves[count + m] =
        halves[count + m]! - factor[row + m]! * value - factor[next + m]! * nextValue;
    }
  }
  if (k === 0) target[entered[0]!] = halves[count]! / factor[0]!;
}
