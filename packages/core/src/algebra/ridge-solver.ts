import {
  appendRows,
  isRemovalCheaper,
  removeRow,
  solveBackward,
  solveForward,
} from './cholesky.ts';

/** A problem `argmin ½ xᵀ (C + ridge I) x − bᵀ x` over x >= 0, without b. */
export interface RidgeProblem {
  /** C, n × n, row-major, symmetric. */
  readonly matrix: Float64Array;
  /** A number > 0, large enough to make C definite. Rows enter where their slope is more than `ridge · (1 + Σ x)`. */
  readonly ridge: number;
}

/** The state of a search, and what it found. */
export interface RidgeSearch {
  /** x, n numbers >= 0. */
  readonly solution: Float64Array;
  /** `b − C x`, without the ridge. */
  readonly slopes: Float64Array;
  /** The minimiser on the rows inside, whatever the signs. */
  readonly target: Float64Array;
  readonly nextSolution: Float64Array;
  readonly nextSlopes: Float64Array;
  /** b plus `ridge` times the first solution: the ridge is then centred on that solution. */
  readonly centred: Float64Array;
  /** The Cholesky factor of the first `factored` rows of those inside. */
  readonly factor: Float64Array;
  factored: number;
  /** `L z = b` for the first `solved` rows of those inside; work space behind it. */
  readonly halves: Float64Array;
  solved: number;
  /** Work space for rows that leave the factor. */
  readonly turns: Float64Array;
  /** The rows inside, `count` of them, in the order of the factor. */
  readonly entered: Int32Array;
  count: number;
  readonly inside: Uint8Array;
}

/** Up to this size arrays are kept from call to call, as work arrays are. */
const largestKept = 64;
const kept: RidgeSearch[] = [];

/**
 * Arrays for searches among `size` rows. The next call for the same size may return the same arrays: read the result
 * before that call.
 */
export function ridgeSearch(size: number): RidgeSearch {
  if (size > largestKept) return newSearch(size);
  return (kept[size] ??= newSearch(size));
}

function newSearch(size: number): RidgeSearch {
  return {
    solution: new Float64Array(size),
    slopes: new Float64Array(size),
    target: new Float64Array(size),
    nextSolution: new Float64Array(size),
    nextSlopes: new Float64Array(size),
    centred: new Float64Array(size),
    factor: new Float64Array(size * size),
    factored: 0,
    halves: new Float64Array(2 * size),
    solved: 0,
    turns: new Float64Array(2 * size),
    entered: new Int32Array(size),
    count: 0,
    inside: new Uint8Array(size),
  };
}

/**
 * Solves a definite problem in few turns, however many rows there are.
 *
 * In each turn the rows outside with the steepest slopes enter, and x moves to the minimiser on the rows inside, cut
 * off at zero, where that lowers the objective; otherwise x moves as far towards it as all numbers stay >= 0. Rows at
 * zero leave. So the objective falls in every turn. A turn costs only what changes of one Cholesky factor: rows that
 * leave are removed one by one, or the rows behind the first of them are factored again, whichever is cheaper.
 *
 * Then the ridge is centred on the solution, and the problem solved again (a proximal point step): where the matrix is
 * far from singular, x comes out as without a ridge.
 *
 * @param vector - b, n numbers
 * @param search - receives x and its slopes
 * @returns false where the ridge does not make C definite
 *
 * @see Bertsekas, Projected Newton methods for optimization problems with simple constraints, SIAM Journal on Control
 *   and Optimization 20 (1982); Lawson and Hanson, Solving Least Squares Problems (1974), chapter 23
 */
export function solveRidge(
  problem: RidgeProblem,
  vector: Float64Array,
  search: RidgeSearch,
): boolean {
  const { ridge } = problem;
  const { solution, slopes, centred } = search;
  solution.fill(0);
  search.inside.fill(0);
  search.count = 0;
  search.factored = 0;
  slopes.set(vector);
  if (!descend(problem, vector, search)) return false;
  if (search.count === 0) return true;
  for (let i = 0; i < vector.length; i += 1) {
    const centre = ridge * solution[i]!;
    centred[i] = vector[i]! + centre;
    slopes[i]! += centre;
  }
  if (!descend(problem, centred, search)) return false;
  for (let i = 0; i < vector.length; i += 1) slopes[i]! -= centred[i]! - vector[i]!;
  return true;
}

/** Which rows enter in a turn: those whose slope is near the steepest, the steepest alone, or none. */
type Entry = 'steep' | 'steepest' | 'none';

/** Share of the steepest slope that a row needs to enter. If many rows enter at once, many have to leave again. */
const steep = 0.5;

/** Continues from a solution and its slopes to the minimum; false where a factor is not definite. */
function descend(problem: RidgeProblem, vector: Float64Array, search: RidgeSearch): boolean {
  const { matrix, ridge } = problem;
  const { target, factor, halves, entered, solution, slopes, nextSolution, nextSlopes } = search;
  search.solved = 0;
  let value = objective(ridge, vector, search, solution, slopes);
  let who: Entry = 'steep';
  let atMinimum = search.count === 0;
  // The bound ends the loop where rounding makes turns undo each other.
  const most = 10 * vector.length + 20;
  for (let turn = 0; turn < most; turn += 1) {
    if (who !== 'none' && !enter(ridge, who, search) && atMinimum) return true;
    const { count } = search;
    if (!appendRows(matrix, ridge, factor, entered, search.factored, count)) return false;
    search.factored = count;
    solveForward(factor, entered, search.solved, count, vector, 0, halves);
    search.solved = count;
    solveBackward(factor, entered, count, halves, target);
    atMinimum = true;
    for (let k = 0; k < count; k += 1) {
      const i = entered[k]!;
      nextSolution[i] = target[i]!;
      if (target[i]! > 0) continue;
      atMinimum = false;
      nextSolution[i] = 0;
    }
    slopesOf(matrix, vector, search);
    let next = objective(ridge, vector, search, nextSolution, nextSlopes);
    if (next < value) {
      if (atMinimum) who = 'steep';
      else if (who === 'steepest') who = 'none';
    } else if (atMinimum) {
      who = 'steepest';
    } else {
      who = 'none';
      towards(search);
      slopesOf(matrix, vector, search);
      next = objective(ridge, vector, search, nextSolution, nextSlopes);
    }
    value = next;
    move(search);
  }
  return true;
}

/** Lets rows enter; returns whether any did. */
function enter(ridge: number, who: Entry, search: RidgeSearch): boolean {
  const { solution, slopes, entered, inside } = search;
  let sum = 1;
  for (let k = 0; k < search.count; k += 1) sum += solution[entered[k]!]!;
  const blurred = ridge * sum;
  let steepest = blurred;
  let first = -1;
  for (let i = 0; i < inside.length; i += 1) {
    if (inside[i] === 1 || !(slopes[i]! > steepest)) continue;
    steepest = slopes[i]!;
    first = i;
  }
  if (first < 0) return false;
  const least = who === 'steep' ? Math.max(blurred, steep * steepest) : steepest;
  for (let i = who === 'steep' ? 0 : first; i < inside.length; i += 1) {
    if (inside[i] === 1 || !(slopes[i]! >= least)) continue;
    inside[i] = 1;
    entered[search.count] = i;
    search.count += 1;
    if (who === 'steepest') break;
  }
  return true;
}

/** Computes the slopes of the next solution. */
function slopesOf(matrix: Float64Array, vector: Float64Array, search: RidgeSearch): void {
  const { entered, count, nextSolution, nextSlopes } = search;
  const size = vector.length;
  nextSlopes.set(vector);
  let k = 0;
  // Two rows at a time read and write the slopes half as often.
  for (; k + 1 < count; k += 2) {
    const [row, next] = [entered[k]! * size, entered[k + 1]! * size];
    const [value, nextValue] = [nextSolution[entered[k]!]!, nextSolution[entered[k + 1]!]!];
    for (let i = 0; i < size; i += 1) {
      nextSlopes[i] = nextSlopes[i]! - value * matrix[row + i]! - nextValue * matrix[next + i]!;
    }
  }
  if (k === count) return;
  const row = entered[k]! * size;
  const value = nextSolution[entered[k]!]!;
  for (let i = 0; i < size; i += 1) nextSlopes[i]! -= value * matrix[row + i]!;
}

/** The objective at an x that is zero outside the entered rows, from x and its slopes. */
function objective(
  ridge: number,
  vector: Float64Array,
  { entered, count }: RidgeSearch,
  x: Float64Array,
  slopes: Float64Array,
): number {
  let value = 0;
  for (let k = 0; k < count; k += 1) {
    const i = entered[k]!;
    value -= x[i]! * (vector[i]! + slopes[i]! - ridge * x[i]!);
  }
  return value / 2;
}

/** Computes the next solution: as far towards the target as all numbers stay >= 0. */
function towards({ entered, count, solution, target, nextSolution }: RidgeSearch): void {
  let step = 1;
  for (let k = 0; k < count; k += 1) {
    const i = entered[k]!;
    if (target[i]! > 0) continue;
    step = Math.min(step, solution[i]! > 0 ? solution[i]! / (solution[i]! - target[i]!) : 0);
  }
  for (let k = 0; k < count; k += 1) {
    const i = entered[k]!;
    const change = target[i]! - solution[i]!;
    // A number that ends the step becomes exactly 0, without a remainder of rounding.
    const stops = target[i]! <= 0 && solution[i]! <= -step * change * (1 + 2 ** -50);
    nextSolution[i] = stops ? 0 : Math.max(0, solution[i]! + step * change);
  }
}

/** Takes over the next solution; rows at zero leave, also from the factor. */
function move(search: RidgeSearch): void {
  const { entered, inside, solution, nextSolution, factor, turns } = search;
  const { count } = search;
  const places: number[] = [];
  let stayed = 0;
  for (let k = 0; k < count; k += 1) {
    const i = entered[k]!;
    solution[i] = nextSolution[i]!;
    if (solution[i] > 0) {
      entered[stayed] = i;
      stayed += 1;
    } else {
      inside[i] = 0;
      places.push(k);
    }
  }
  search.count = stayed;
  search.slopes.set(search.nextSlopes);
  const first = places[0];
  if (first === undefined) return;
  search.solved = first;
  search.factored = first;
  if (!isRemovalCheaper(places, count)) return;
  search.factored = stayed;
  for (let left = places.length - 1; left >= 0; left -= 1) {
    removeRow(factor, inside.length, places[left]!, stayed + left + 1, turns);
  }
}
