import { appendRow, solveFactored } from './cholesky.ts';
import { WorkArray, workNumbers } from './work-array.ts';

const targets = workNumbers();
const factors = workNumbers();
const orders = new WorkArray((length) => new Int32Array(length));
const insides = new WorkArray((length) => new Uint8Array(length));
const passed = new WorkArray((length) => new Uint8Array(length));

/** A solution, or a ray along which the objective falls without bound as far as float64 can tell. */
export interface NonNegativeSolution {
  /** n numbers >= 0. */
  readonly values: Float64Array;
  /** Whether the values are a ray: `H x = 0` within rounding and `bᵀ x > 0`. */
  readonly ray: boolean;
}

/**
 * `argmin ½ xᵀ H x − bᵀ x` over x >= 0 for a symmetric positive semi-definite H, exactly, by active sets.
 *
 * Variables enter one at a time, where the gradient asks for it. Each extends a Cholesky factor of the entered ones by
 * a row. A step ends where the first variable reaches zero; that one leaves (Lawson and Hanson). A variable that
 * depends linearly on the entered ones takes the place of one of them.
 *
 * @param matrix - H, n × n, row-major
 * @param vector - b, n numbers
 *
 * @see Lawson & Hanson, Solving Least Squares Problems (1974), chapter 23
 *
 * @example
 * ```ts
 * import { solveNonNegative } from '@multigrad/core/strategy';
 *
 * console.log(solveNonNegative(Float64Array.of(2, 0, 0, 1), Float64Array.of(4, -1)).values); // 2, 0
 * ```
 */
export function solveNonNegative(matrix: Float64Array, vector: Float64Array): NonNegativeSolution {
  const size = vector.length;
  const solution = new Float64Array(size);
  const target = targets.zeros(size);
  const factor = factors.of(size * size);
  const entered = orders.of(size);
  const inside = insides.zeros(size);
  const passedOver = passed.zeros(size);
  let count = 0;
  // Each turn lowers the objective. The bound ends the loop where rounding makes turns undo each other.
  for (let turn = 0; turn < 10 * size + 20; turn += 1) {
    const candidate = steepest(matrix, vector, solution, inside, passedOver);
    if (candidate < 0) break;
    entered[count] = candidate;
    let dependent = !appendRow(matrix, 0, factor, entered, count);
    while (dependent) {
      // Exchange it for the first entered variable that reaches zero along the direction without curvature.
      const stayed = exchange(matrix, factor, entered, inside, count, solution, target);
      if (stayed < 0) return { values: solution, ray: true };
      if (stayed === count) break;
      count = stayed;
      entered[count] = candidate;
      dependent = !appendRow(matrix, 0, factor, entered, count);
    }
    if (dependent) {
      solution[candidate] = 0;
      passedOver[candidate] = 1;
      continue;
    }
    inside[candidate] = 1;
    count += 1;
    let first = true;
    for (;;) {
      solveFactored(factor, entered, count, vector, 0, target);
      if (first && target[candidate]! <= 0) {
        // The descent was rounding alone.
        count -= 1;
        inside[candidate] = 0;
        passedOver[candidate] = 1;
        break;
      }
      first = false;
      const step = largestStep(entered, count, solution, target);
      for (let k = 0; k < count; k += 1) {
        const index = entered[k]!;
        solution[index] =
          step === Infinity
            ? target[index]!
            : Math.max(0, solution[index]! + step * (target[index]! - solution[index]!));
      }
      if (step === Infinity) {
        passedOver.fill(0);
        break;
      }
      count = leave(matrix, factor, entered, inside, count, solution, target);
    }
  }
  return { values: solution, ray: false };
}

/** The variable outside with the steepest descent beyond rounding, or −1. */
function steepest(
  matrix: Float64Array,
  vector: Float64Array,
  solution: Float64Array,
  inside: Uint8Array,
  passedOver: Uint8Array,
): number {
  const size = vector.length;
  let best = -1;
  let largest = 0;
  for (let i = 0; i < size; i += 1) {
    if (inside[i] === 1 || passedOver[i] === 1) continue;
    let descent = vector[i]!;
    let magnitude = Math.abs(descent);
    for (let j = 0; j < size; j += 1) {
      const term = matrix[i * size + j]! * solution[j]!;
      descent -= term;
      magnitude += Math.abs(term);
    }
    // Twice the bound on the rounding of this very sum.
    if (descent <= size * Number.EPSILON * magnitude) continue;
    const relative = descent / Math.sqrt(matrix[i * size + i]!);
    if (relative > largest) {
      largest = relative;
      best = i;
    }
  }
  return best;
}

/**
 * Exchanges a dependent candidate, at the place `count`, for an entered variable. The solution moves along the null
 * vector that the candidate forms with the entered variables, along which the objective falls linearly, until one of
 * them is zero and leaves. Returns how many stay. Where none would reach zero, the solution becomes the null vector as
 * a ray, and the result is −1.
 */
function exchange(
  matrix: Float64Array,
  factor: Float64Array,
  entered: Int32Array,
  inside: Uint8Array,
  count: number,
  solution: Float64Array,
  target: Float64Array,
): number {
  const size = solution.length;
  const candidate = entered[count]!;
  // target holds the combination of entered variables that equals the candidate: the rates at which they fall.
  solveFactored(factor, entered, count, matrix, candidate * size, target);
  let step = Infinity;
  let blocking = -1;
  for (let k = 0; k < count; k += 1) {
    const index = entered[k]!;
    if (target[index]! <= 0 || solution[index]! / target[index]! >= step) continue;
    step = solution[index]! / target[index]!;
    blocking = index;
  }
  if (blocking < 0) {
    solution.fill(0);
    for (let k = 0; k < count; k += 1) solution[entered[k]!] = -target[entered[k]!]!;
    solution[candidate] = 1;
    return -1;
  }
  for (let k = 0; k < count; k += 1) {
    const index = entered[k]!;
    solution[index] = Math.max(0, solution[index]! - step * target[index]!);
    // A negative target marks the variable that leaves, for `leave`.
    target[index] = index === blocking ? -1 : 1;
  }
  solution[candidate] = solution[candidate]! + step;
  solution[blocking] = 0;
  return leave(matrix, factor, entered, inside, count, solution, target);
}

/**
 * The step towards the target, 0 … 1, at which a variable reaches zero; Infinity where the target is positive
 * throughout.
 */
function largestStep(
  entered: Int32Array,
  count: number,
  solution: Float64Array,
  target: Float64Array,
): number {
  // Infinity, not 1, where no variable ends the step: a target of −1e-17 rounds the step to 1, yet its variable has to
  // leave.
  let step = Infinity;
  for (let k = 0; k < count; k += 1) {
    const index = entered[k]!;
    if (target[index]! > 0) continue;
    const value = solution[index]!;
    step = Math.min(step, value > 0 ? value / (value - target[index]!) : 0);
  }
  return step;
}

/** Takes out the variables that reached zero and refactors those behind the first of them; returns how many stay. */
function leave(
  matrix: Float64Array,
  factor: Float64Array,
  entered: Int32Array,
  inside: Uint8Array,
  count: number,
  solution: Float64Array,
  target: Float64Array,
): number {
  let smallest = Infinity;
  for (let k = 0; k < count; k += 1) {
    const index = entered[k]!;
    if (target[index]! <= 0) smallest = Math.min(smallest, solution[index]!);
  }
  let kept = 0;
  for (let k = 0; k < count; k += 1) {
    const index = entered[k]!;
    if (target[index]! <= 0 && solution[index]! <= smallest) {
      solution[index] = 0;
      target[index] = 0;
      inside[index] = 0;
      continue;
    }
    entered[kept] = index;
    if (kept !== k && !appendRow(matrix, 0, factor, entered, kept)) {
      solution[index] = 0;
      inside[index] = 0;
      continue;
    }
    kept += 1;
  }
  return kept;
}
