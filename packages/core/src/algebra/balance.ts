import { appendRows, solveFactored } from './cholesky.ts';
import type { Gramian } from './gramian.ts';
import { WorkArray, workNumbers } from './work-array.ts';

const matrices = workNumbers();
const factors = workNumbers();
const orders = new WorkArray((length) => new Int32Array(length));

/** Positive x and y with `x_k y_k^p = e^(b_k)` for every k, and how far they are from `C y = x`. */
interface Point {
  /** `t = y − x`. */
  readonly differences: Float64Array;
  readonly logY: Float64Array;
  /** `dy / dt` in 0 … 1; `−dx / dt` is the rest to 1. */
  readonly shares: Float64Array;
  /** `C y − x`. */
  readonly residuals: Float64Array;
  /** The largest `|(C y − x)_k| / (Σ_j |C_kj| y_j + x_k)`. */
  readonly error: number;
}

/**
 * Solves `log (C y)_k + p log y_k = b_k` for y > 0, where C is the matrix of cosines of gradients that are not
 * stationary. Returns `log y`, or null where the solution found does not fulfil the equations within rounding.
 *
 * **The unknowns.** With `x_k = e^(b_k) y_k^(−p)` the equations are `C y = x`. Every difference `t_k = y_k − x_k`
 * belongs to exactly one pair of positive x_k and y_k. Where t_k is far above zero, y_k is about t_k and x_k is small;
 * where it is far below zero, x_k is about −t_k and y_k is small. So `C y − x` is nearly linear in t on either side, no
 * step can leave the domain, and `x_k y_k^p = e^(b_k)` holds to the last digits, however small x_k or y_k is.
 *
 * **The search** is Newton's method from `t = 0`, the solution where gradients are orthogonal. Its steps are those that
 * minimise the convex `½ yᵀ C y − Σ_k ∫ x_k dy_k`. A step is halved until `rᵀ H⁻¹ r` falls, for `r = C y − x` and the
 * Hessian H before the step, or until the largest relative residual halves: where lengths differ by many powers of ten,
 * `rᵀ H⁻¹ r` does not show the small ones. A small ridge keeps H positive definite where C is not, within its error.
 * Where no shortened step is better, a larger ridge gives another step.
 *
 * @param goals - b, K finite numbers
 * @param power - p > 0
 */
export function balance(cosines: Gramian, goals: Float64Array, power: number): Float64Array | null {
  // Multiplying x and y by e^s adds (1 + p) s to the goals: no goal above 0 keeps all numbers in range.
  const highest = goals.reduce((most, goal) => Math.max(most, goal), -Infinity);
  const lowered = goals.map((goal) => goal - highest);
  const rounding = cosines.size * 2 ** -54;
  let point = pointAt(cosines, new Float64Array(cosines.size), lowered, power);
  let best = point;
  // Usually about five turns are enough; more than thirty are rare.
  for (let turn = 0; turn < 300 && best.error > rounding; turn += 1) {
    const next = step(cosines, point, lowered, power);
    if (next === null) break;
    if (next.error < best.error) best = next;
    point = next;
  }
  const found = best.logY.map((value) => value + highest / (1 + power));
  return holds(cosines, found, goals, power) ? found : null;
}

/** The point with these differences. */
function pointAt(
  { size, values }: Gramian,
  differences: Float64Array,
  goals: Float64Array,
  power: number,
): Point {
  const logY = new Float64Array(size);
  const logX = new Float64Array(size);
  for (let k = 0; k < size; k += 1) {
    const goal = goals[k]!;
    if (differences[k]! >= 0) {
      logY[k] = logOfLarger(differences[k]!, goal, power);
      logX[k] = goal - power * logY[k]!;
    } else {
      logX[k] = logOfLarger(-differences[k]!, goal / power, 1 / power);
      logY[k] = (goal - logX[k]!) / power;
    }
  }
  const y = logY.map(Math.exp);
  const residuals = logX.map((value) => -Math.exp(value));
  let error = 0;
  for (let k = 0; k < size; k += 1) {
    let terms = -residuals[k]!;
    for (let j = 0; j < size; j += 1) {
      const term = values[k * size + j]! * y[j]!;
      residuals[k]! += term;
      terms += Math.abs(term);
    }
    if (terms > 0) error = Math.max(error, Math.abs(residuals[k]!) / terms);
  }
  const shares = logY.map((value, k) => 1 / (1 + power * Math.exp(logX[k]! - value)));
  return { differences, logY, shares, residuals, error };
}

/**
 * The solution z of `e^z − e^(b − p z) = t` for t >= 0.
 *
 * It is found by Newton's method on `z − log(t + e^(b − p z))`, which rises and is concave. The search starts below the
 * zero, so each turn increases z.
 */
function logOfLarger(difference: number, goal: number, power: number): number {
  let z = Math.max(Math.log(difference), goal / (1 + power));
  for (let turn = 0; turn < 60; turn += 1) {
    const other = Math.exp(goal - power * z);
    const sum = difference + other;
    const next = z + (Math.log(sum) - z) / (1 + (power * other) / sum);
    if (!(next > z)) break;
    z = next;
  }
  return z;
}

/** The point after one Newton step; null where no step gives a better point. */
function step(cosines: Gramian, point: Point, goals: Float64Array, power: number): Point | null {
  const { size, values, relativeError } = cosines;
  // Scaled by S = √shares so that the diagonal is 1: S H S = S C S + 1 − S².
  const scales = point.shares.map(Math.sqrt);
  const matrix = matrices.of(size * size);
  for (let i = 0; i < size; i += 1) {
    const row = i * size;
    for (let j = 0; j < i; j += 1) {
      matrix[row + j] = values[row + j]! * scales[i]! * scales[j]!;
      matrix[j * size + i] = matrix[row + j]!;
    }
    matrix[row + i] = 1;
  }
  const factor = factors.of(size * size);
  const order = orders.of(size);
  for (let k = 0; k < size; k += 1) order[k] = k;
  const scaled = new Float64Array(size);
  const solved = new Float64Array(size);
  const solve = (residuals: Float64Array): number => {
    for (let k = 0; k < size; k += 1) scaled[k] = -scales[k]! * residuals[k]!;
    solveFactored(factor, order, size, scaled, 0, solved);
    let energy = 0;
    for (let k = 0; k < size; k += 1) energy += scaled[k]! * solved[k]!;
    return energy;
  };
  for (let ridge = Math.max(2 ** -44, relativeError); ridge < 2 ** 10; ridge *= 2 ** 8) {
    if (!appendRows(matrix, ridge, factor, order, 0, size)) continue;
    const energy = solve(point.residuals);
    const change = differencesOf(cosines, point, scales, solved);
    for (let part = 1; part > 2 ** -24; part /= 2) {
      const next = pointAt(
        cosines,
        point.differences.map((difference, k) => difference + part * change[k]!),
        goals,
        power,
      );
      if (next.error <= 0.5 * point.error) return next;
      if (solve(next.residuals) <= (1 - 0.2 * part) * energy) return next;
    }
  }
  return null;
}

/** Computes `dt` from `dy = S e`, where `dy / dt` is the share. */
function differencesOf(
  { size, values }: Gramian,
  { shares, residuals }: Point,
  scales: Float64Array,
  solved: Float64Array,
): Float64Array {
  return shares.map((share, k) => {
    if (share > 0.5) return solved[k]! / scales[k]!;
    // This form does not divide by a share, which may be zero: (C dy)_k + (1 − share) dt_k = −r_k.
    let sum = residuals[k]!;
    for (let j = 0; j < size; j += 1) sum += values[k * size + j]! * scales[j]! * solved[j]!;
    return -sum / (1 - share);
  });
}

/** Whether `|(C y)_k − e^(b_k) y_k^(−p)| <= (2⁻³⁶ + relativeError) Σ_j |C_kj| y_j` for every k. */
function holds(
  { size, values, relativeError }: Gramian,
  logY: Float64Array,
  goals: Float64Array,
  power: number,
): boolean {
  const largest = logY.reduce((most, value) => Math.max(most, value), -Infinity);
  const y = logY.map((value) => Math.exp(value - largest));
  return goals.every((goal, k) => {
    let sum = 0;
    let terms = 0;
    for (let j = 0; j < size; j += 1) {
      const term = values[k * size + j]! * y[j]!;
      sum += term;
      terms += Math.abs(term);
    }
    const wanted = Math.exp(goal - power * logY[k]! - largest);
    return Math.abs(sum - wanted) <= (2 ** -36 + relativeError) * terms;
  });
}
