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

/** The last entry of a row whose others are there; false where its square is not above rounding. */
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
  const size = entered.length;
  for (let k = 0; k < count; k += 1) {
    let value = vector[start + entered[k]!]!;
    const row = k * size;
    for (let m = 0; m < k; m += 1) value -= factor[row + m]! * target[entered[m]!]!;
    target[entered[k]!] = value / factor[row + k]!;
  }
  // Along the factor's rows: each solved number is taken out of those before it.
  for (let k = count - 1; k >= 0; k -= 1) {
    const row = k * size;
    const value = target[entered[k]!]! / factor[row + k]!;
    target[entered[k]!] = value;
    for (let m = 0; m < k; m += 1) target[entered[m]!]! -= factor[row + m]! * value;
  }
}
