import { MultigradError } from '../base/errors.ts';

/** `max cᵀ x` over `A x >= b`, `E x = f`, `x >= 0`, with rows as arrays of n numbers. */
export interface LinearProgram {
  /** c, n numbers. */
  readonly objective: ArrayLike<number>;
  /** The rows of A. */
  readonly atLeast: readonly ArrayLike<number>[];
  /** b, a number for each row of A; −∞ for a row that asks for nothing. */
  readonly least: ArrayLike<number>;
  /** The rows of E. */
  readonly equal: readonly ArrayLike<number>[];
  /** f, a number for each row of E. */
  readonly values: ArrayLike<number>;
}

// Relative to the greatest number of a row, which is 1 after scaling.
const tolerance = 1e-11;
// A cost that nothing bounds, or a violation of the constraints, that is no greater is what rounding has left of zero.
const noise = 1e-8;

/**
 * The solution of a small linear program by the simplex method on a dense tableau, in two phases.
 *
 * Rows are scaled to a greatest entry of 1. The entering variable is the one with the greatest reduced cost; after many
 * turns the one with the smallest index, which cannot go round in circles (Bland). Where several vertices are best, which
 * of them is returned is not specified.
 *
 * @returns n numbers >= 0, or null where no x fulfils the constraints, or the objective has no upper bound on them
 * @throws MultigradError `invalid-argument` where numbers of variables or rows differ
 *
 * @see Dantzig, Linear Programming and Extensions (1963); Bland, New finite pivoting rules for the simplex method,
 * Mathematics of Operations Research 2 (1977)
 *
 * @example
 * ```ts
 * import { solveLinearProgram } from '@multigrad/core/strategy';
 *
 * // max x + 2 y over x + y = 1 and x − y >= 0
 * const program = { objective: [1, 2], atLeast: [[1, -1]], least: [0], equal: [[1, 1]], values: [1] };
 * console.log(solveLinearProgram(program)); // Float64Array(2) [ 0.5, 0.5 ]
 * ```
 */
export function solveLinearProgram(program: LinearProgram): Float64Array | null {
  check(program);
  const { objective, atLeast, least, equal, values } = program;
  const size = objective.length;
  const asked = atLeast.flatMap((row, i) =>
    least[i] === -Infinity ? [] : [scaledRow(row, least[i]!, size)],
  );
  const rows = [...asked, ...equal.map((row, i) => scaledRow(row, values[i]!, size))];
  // Columns: x, a surplus for each inequality, an artificial variable for each row, the right-hand side.
  const surpluses = asked.length;
  const real = size + surpluses;
  const last = real + rows.length;
  const tableau = rows.map((row, i) => {
    const line = new Float64Array(last + 1);
    line.set(row.subarray(0, size));
    if (i < surpluses) line[size + i] = -1;
    line[last] = row[size]!;
    // The right-hand side starts >= 0; of two signs that do, the one with which a surplus can start in the basis.
    if (line[last] < 0 || (line[last] === 0 && i < surpluses))
      for (let at = 0; at <= last; at += 1) line[at] = 0 - line[at]!;
    line[real + i] = 1;
    return line;
  });
  const basis = rows.map((_, i) => real + i);
  // A surplus whose sign was turned needs no artificial variable.
  for (let i = 0; i < surpluses; i += 1) if (tableau[i]![size + i] === 1) basis[i] = size + i;

  // Phase 1: minus the sum of the artificial variables, which has to become zero.
  const first = new Float64Array(last + 1);
  for (let i = 0; i < rows.length; i += 1) {
    if (basis[i]! < real) continue;
    for (let at = 0; at <= last; at += 1) first[at]! += tableau[i]![at]!;
    first[real + i] = 0;
  }
  if (!climb(tableau, first, basis, real)) return null;
  if (first[last]! > noise) return null;
  for (let i = 0; i < rows.length; i += 1) {
    if (basis[i]! < real) continue;
    // An artificial variable that stays in the basis is zero; one that can leave does, another one's row is 0 = 0.
    const enter = strongest(tableau[i]!, real);
    if (enter >= 0) pivot(tableau, first, basis, i, enter);
  }

  // Phase 2: the objective, in terms of the variables outside the basis.
  const greatest = Array.from(objective).reduce(
    (most, value) => Math.max(most, Math.abs(value)),
    0,
  );
  const second = new Float64Array(last + 1);
  for (let k = 0; k < size; k += 1) second[k] = greatest > 0 ? objective[k]! / greatest : 0;
  for (let i = 0; i < rows.length; i += 1) {
    const cost = second[basis[i]!]!;
    if (cost === 0) continue;
    for (let at = 0; at <= last; at += 1) second[at]! -= cost * tableau[i]![at]!;
  }
  if (!climb(tableau, second, basis, real)) return null;
  const solution = new Float64Array(size);
  basis.forEach((variable, i) => {
    if (variable < size) solution[variable] = Math.max(0, tableau[i]![last]!);
  });
  return solution;
}

function check({ objective, atLeast, least, equal, values }: LinearProgram): void {
  const rows = [...atLeast, ...equal];
  const fits =
    atLeast.length === least.length &&
    equal.length === values.length &&
    rows.every((row) => row.length === objective.length);
  if (fits) return;
  throw new MultigradError(
    'invalid-argument',
    `A linear program of ${objective.length} variables should have rows of as many numbers, and a bound for each row. ` +
      `Found rows of ${rows.map((row) => row.length).join(', ')}, ${least.length} bounds for ${atLeast.length} rows and ` +
      `${values.length} values for ${equal.length}.`,
  );
}

/** A row with its right-hand side, divided by the greatest entry of the row. */
function scaledRow(row: ArrayLike<number>, bound: number, size: number): Float64Array {
  let greatest = 0;
  for (let k = 0; k < size; k += 1) greatest = Math.max(greatest, Math.abs(row[k]!));
  const divisor = greatest || Math.abs(bound) || 1;
  const scaled = new Float64Array(size + 1);
  for (let k = 0; k < size; k += 1) scaled[k] = row[k]! / divisor;
  scaled[size] = bound / divisor;
  return scaled;
}

/** Pivots until no variable below `real` improves the objective; false where it grows without bound. */
function climb(
  tableau: readonly Float64Array[],
  costs: Float64Array,
  basis: number[],
  real: number,
): boolean {
  const last = costs.length - 1;
  const patience = 20 * last;
  // Bland's rule ends in exact arithmetic; the bound is for rounding that undoes its own steps.
  for (let turn = 0; turn < 50 * patience; turn += 1) {
    let enter = -1;
    // Costs begin with a greatest one of 1 or more, and are rounded by the greatest that they grow to.
    let best = tolerance;
    for (let k = 0; k < real; k += 1) best = Math.max(best, tolerance * Math.abs(costs[k]!));
    for (let k = 0; k < real; k += 1) {
      if (costs[k]! <= best) continue;
      enter = k;
      if (turn >= patience) break;
      best = costs[k]!;
    }
    if (enter < 0) return true;
    let leave = -1;
    let smallest = Infinity;
    for (let i = 0; i < tableau.length; i += 1) {
      const slope = tableau[i]![enter]!;
      if (slope <= tolerance) continue;
      const ratio = tableau[i]![last]! / slope;
      // Of equal ratios the greatest slope loses the fewest digits; later the smallest index, for Bland's rule.
      const isBetter =
        turn < patience ? slope > (tableau[leave]?.[enter] ?? 0) : basis[i]! < basis[leave]!;
      if (ratio < smallest || (ratio === smallest && isBetter)) {
        smallest = ratio;
        leave = i;
      }
    }
    if (leave < 0) {
      if (costs[enter]! > noise) return false;
      costs[enter] = 0;
      continue;
    }
    pivot(tableau, costs, basis, leave, enter);
  }
  return true;
}

/** The variable below `real` with the greatest entry of a row, −1 where all are zero within rounding. */
function strongest(row: Float64Array, real: number): number {
  let best = -1;
  let greatest = tolerance;
  for (let k = 0; k < real; k += 1) {
    if (Math.abs(row[k]!) <= greatest) continue;
    greatest = Math.abs(row[k]!);
    best = k;
  }
  return best;
}

function pivot(
  tableau: readonly Float64Array[],
  costs: Float64Array,
  basis: number[],
  leave: number,
  enter: number,
): void {
  const row = tableau[leave]!;
  const divisor = row[enter]!;
  for (let at = 0; at < row.length; at += 1) row[at]! /= divisor;
  for (const line of [...tableau, costs]) {
    const factor = line[enter]!;
    if (line === row || factor === 0) continue;
    for (let at = 0; at < row.length; at += 1) line[at]! -= factor * row[at]!;
    line[enter] = 0;
  }
  basis[leave] = enter;
}
