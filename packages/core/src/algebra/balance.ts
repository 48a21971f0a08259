import type { Gramian } from './gramian.ts';
import { workNumbers } from './work-array.ts';

/** `y` and `x = C y` by their logarithms, which never over- or underflow. */
interface Point {
  readonly logY: Float64Array;
  readonly logX: Float64Array;
  /** `(C y − x) / Σ_j |C_kj| y_j`, how far x has strayed from the sum where that has no digit of it. */
  readonly strays: Float64Array;
}

const factors = workNumbers();

/** Changes relative to what changes: `dy / y` and `dx / x`. */
interface Step {
  readonly y: Float64Array;
  readonly x: Float64Array;
}

/**
 * Solves `log (C y)_k + p log y_k = b_k` for y > 0, where C is the matrix of cosines of gradients that are not
 * stationary; returns `log y`, or null where the conditions do not hold of what was found.
 *
 * A primal-dual interior-point method: Newton's on `F_k = log x_k + p log y_k − b_k` and `x = C y`, with steps that end
 * before an x or a y is zero. The matrix of its linear system is `C + p X / Y`, positive definite. Where objectives conflict
 * and p is large, x_k becomes so small that the sum `(C y)_k` has no digit of it left: there x_k is carried along from step
 * to step. Where y_k is so small that no sum notices it, `F_k = 0` is solved alone.
 *
 * @param goals - b, K finite numbers
 * @param power - p > 0
 * @param nearest - the min-norm point of the unit gradients: from near it `C y > 0`
 */
export function balance(
  cosines: Gramian,
  goals: Float64Array,
  power: number,
  nearest: { readonly weights: Float64Array; readonly squaredNorm: number },
): Float64Array | null {
  const point = start(cosines, goals, power, nearest);
  // Pulling x back to sums without digits disturbs more often than it helps: only where x has strayed too far without.
  for (const correcting of [false, true]) {
    const found = descend(cosines, point, goals, power, correcting);
    if (holds(cosines, found, goals, power)) return found;
  }
  return null;
}

/** `log y` at the end of Newton's steps from a point. */
function descend(
  cosines: Gramian,
  first: Point,
  goals: Float64Array,
  power: number,
  correcting: boolean,
): Float64Array {
  let point = first;
  let best = point;
  let least = Infinity;
  let stalled = 0;
  // Some twenty turns as a rule; hundreds for lengths that differ by hundreds of powers of ten.
  for (let turn = 0; turn < 3000 && stalled < 4; turn += 1) {
    const residuals = point.logX.map((value, k) => value + power * point.logY[k]! - goals[k]!);
    const largest = residuals.reduce(
      (most, value, k) => Math.max(most, Math.abs(value), Math.abs(point.strays[k]!)),
      0,
    );
    // Once the last digits are reached they come and go.
    stalled = largest < 0.5 * least || largest > 1e-6 ? 0 : stalled + 1;
    if (largest < least) [best, least] = [point, largest];
    if (largest === 0) break;
    const rooms = roomsOf(cosines, point);
    const alone = Uint8Array.from(rooms, (room) => (room >= 0 ? 1 : 0));
    const step = newtonStep(cosines, point, residuals, power, alone);
    if (step === null) break;
    point = refreshed(cosines, moved(point, step, rooms, residuals, power), correcting);
  }
  return best.logY;
}

/** The solution of the diagonal where every sum is clearly positive there, or else near the min-norm point. */
function start(
  cosines: Gramian,
  goals: Float64Array,
  power: number,
  nearest: { readonly weights: Float64Array; readonly squaredNorm: number },
): Point {
  const { size } = cosines;
  const alone = goals.map((goal) => goal / (1 + power));
  const plain = withSums(cosines, alone, 0.01);
  if (plain !== null) return plain;
  // (C v)_k >= vᵀ C v for the min-norm point v, and half of it when each weight is raised so far.
  const raise = nearest.squaredNorm / (2 * size);
  const raised = nearest.weights.map((weight) => Math.log(weight + raise));
  const { logX } = withSums(cosines, raised, 0) ?? {
    logX: raised.map(() => Math.log(nearest.squaredNorm / 2)),
  };
  // Scaled so that the residuals are zero on average.
  let mean = 0;
  for (let k = 0; k < size; k += 1) mean += (logX[k]! + power * raised[k]! - goals[k]!) / size;
  const shift = mean / (1 + power);
  return {
    logY: raised.map((value) => value - shift),
    logX: logX.map((value) => value - shift),
    strays: new Float64Array(size),
  };
}

/** The point of these y, or null where a sum is not above `clearly` times its terms. */
function withSums(cosines: Gramian, logY: Float64Array, clearly: number): Point | null {
  const logX = new Float64Array(logY.length);
  const clear = eachSum(cosines, logY, (k, sum, terms, largest) => {
    logX[k] = Math.log(sum) + largest;
    return sum > clearly * terms;
  });
  return clear ? { logY, logX, strays: new Float64Array(logY.length) } : null;
}

/**
 * Calls back with `(C y)_k` and `Σ_j |C_kj| y_j`, both over `e^largest`, until it returns false; whether it never did.
 */
function eachSum(
  { size, values }: Gramian,
  logY: Float64Array,
  visit: (k: number, sum: number, terms: number, largest: number) => boolean,
): boolean {
  const largest = logY.reduce((most, value) => Math.max(most, value), -Infinity);
  const y = logY.map((value) => Math.exp(value - largest));
  for (let k = 0; k < size; k += 1) {
    let sum = 0;
    let terms = 0;
    for (let j = 0; j < size; j += 1) {
      const term = values[k * size + j]! * y[j]!;
      sum += term;
      terms += Math.abs(term);
    }
    if (!visit(k, sum, terms, largest)) return false;
  }
  return true;
}

/** The same point with x added up anew where the sum has digits of it, and how far it is from the sum elsewhere. */
function refreshed(
  cosines: Gramian,
  { logY, logX }: Omit<Point, 'strays'>,
  correcting: boolean,
): Point {
  const next = Float64Array.from(logX);
  const strays = new Float64Array(logX.length);
  eachSum(cosines, logY, (k, sum, terms, largest) => {
    if (sum > 2 ** -20 * terms) next[k] = Math.log(sum) + largest;
    else if (correcting) strays[k] = (sum - Math.exp(logX[k]! - largest)) / terms;
    return true;
  });
  return { logY, logX: next, strays };
}

/** Newton's step; null where the numbers do not allow one. */
function newtonStep(
  { size, values }: Gramian,
  { logY, logX, strays }: Point,
  residuals: Float64Array,
  power: number,
  alone: Uint8Array,
): Step | null {
  // S (C + p X / Y) S e = −S (X F + C y − x) with S so that the diagonal is 1; dy = S e.
  const largest = logY.reduce((most, value) => Math.max(most, value), -Infinity);
  const scales = logY.map((value, k) => 1 / Math.sqrt(1 + power * Math.exp(logX[k]! - value)));
  const matrix = factors.of(size * size);
  const change = new Float64Array(size);
  const y0 = logY.map((value) => Math.exp(value - largest));
  for (let i = 0; i < size; i += 1) {
    const row = i * size;
    let stray = 0;
    if (strays[i] !== 0) {
      for (let j = 0; j < size; j += 1) stray += Math.abs(values[row + j]! * y0[j]!);
      stray *= strays[i]!;
    }
    for (let j = 0; j < i; j += 1) {
      matrix[row + j] =
        alone[i] === 1 || alone[j] === 1 ? 0 : values[row + j]! * scales[i]! * scales[j]!;
    }
    matrix[row + i] = 1;
    const wanted = Math.exp(logX[i]! - largest) * residuals[i]! + stray;
    change[i] = alone[i] === 1 ? 0 : -scales[i]! * wanted;
  }
  if (!solvePositive(matrix, change)) return null;
  for (let k = 0; k < size; k += 1) change[k]! *= scales[k]!;
  const y = change.map((value, k) => (alone[k] === 1 ? 0 : value / Math.exp(logY[k]! - largest)));
  const x = y.map((value, k) => {
    if (alone[k] === 0) return -residuals[k]! - power * value;
    let sum = 0;
    for (let j = 0; j < size; j += 1) sum += values[k * size + j]! * change[j]!;
    return sum / Math.exp(logX[k]! - largest);
  });
  return y.every(Number.isFinite) && x.every(Number.isFinite) ? { y, x } : null;
}

/**
 * How far the logarithm of each y may rise until some sum notices it, `|C_jk| y_k > 2⁻⁶⁰ x_j`; less than 0 for those that
 * are noticed.
 */
function roomsOf({ size, values }: Gramian, { logY, logX }: Point): Float64Array {
  const below = 60 * Math.LN2;
  const least = logX.reduce((most, value) => Math.min(most, value), Infinity);
  return logY.map((value, k) => {
    // No cosine is above 1.
    if (least - value - below > below) return least - value - below;
    let greatest = -Infinity;
    for (let j = 0; j < size; j += 1) {
      const part = value - logX[j]! + Math.log(Math.abs(values[j * size + k]!));
      greatest = Math.max(greatest, part);
      if (greatest > -below) return -1;
    }
    return -below - greatest;
  });
}

/** The point after as much of the step as leaves a tenth of every x and y. */
function moved(
  { logY, logX }: Point,
  step: Step,
  rooms: Float64Array,
  residuals: Float64Array,
  power: number,
): Omit<Point, 'strays'> {
  let fall = 0;
  for (let k = 0; k < logY.length; k += 1) fall = Math.max(fall, -step.y[k]!, -step.x[k]!);
  const part = Math.min(1, 0.9 / fall);
  return {
    logX: logX.map((value, k) => value + Math.log1p(part * step.x[k]!)),
    logY: logY.map(
      (value, k) =>
        value +
        (rooms[k]! >= 0
          ? // As far down as it will, and up until it is noticed.
            Math.min(rooms[k]! + 1, -residuals[k]! / power)
          : Math.log1p(part * step.y[k]!)),
    ),
  };
}

/** Whether `|(C y)_k − e^(b_k) y_k^(−p)| <= (2⁻³⁶ + relativeError) Σ_j |C_kj| y_j` for every k. */
function holds(cosines: Gramian, logY: Float64Array, goals: Float64Array, power: number): boolean {
  return eachSum(cosines, logY, (k, sum, terms, largest) => {
    const wanted = Math.exp(goals[k]! - power * logY[k]! - largest);
    return Math.abs(sum - wanted) <= (2 ** -36 + cosines.relativeError) * terms;
  });
}

/**
 * Solves in place by Cholesky; the lower triangle holds the matrix, the vector the right side. False where the matrix is
 * not positive definite to rounding.
 */
function solvePositive(matrix: Float64Array, vector: Float64Array): boolean {
  const size = vector.length;
  for (let i = 0; i < size; i += 1) {
    const row = i * size;
    for (let j = 0; j <= i; j += 1) {
      const other = j * size;
      let value = matrix[row + j]!;
      for (let k = 0; k < j; k += 1) value -= matrix[row + k]! * matrix[other + k]!;
      if (i !== j) matrix[row + j] = value / matrix[other + j]!;
      else if (Number.isFinite(value)) matrix[row + i] = Math.sqrt(Math.max(value, 2 ** -52));
      else return false;
    }
  }
  for (let i = 0; i < size; i += 1) {
    let value = vector[i]!;
    for (let k = 0; k < i; k += 1) value -= matrix[i * size + k]! * vector[k]!;
    vector[i] = value / matrix[i * size + i]!;
  }
  for (let i = size - 1; i >= 0; i -= 1) {
    let value = vector[i]!;
    for (let k = i + 1; k < size; k += 1) value -= matrix[k * size + i]! * vector[k]!;
    vector[i] = value / matrix[i * size + i]!;
  }
  return true;
}
