import { cosineMatrix } from './cosine-matrix.ts';
import { MultigradError } from '../base/errors.ts';
import type { Gramian } from './gramian.ts';
import { norms } from './gramian-of.ts';
import { minNormPoint } from './min-norm.ts';
import { workNumbers } from './work-array.ts';

const points = workNumbers();
const nextPoints = workNumbers();
const gradients = workNumbers();
const nextGradients = workNumbers();
const hessians = workNumbers();
const steps = workNumbers();

/**
 * The positive weights with `(G a)_k = a_k^(−1/α)`: the bargaining solution for α = 1, an α-fair one else. Null where
 * there is none, for gradients that are Pareto stationary (some combination with weights >= 0 is zero within the
 * Gramian's error), a zero gradient among them.
 *
 * It is the minimum of the convex `½ aᵀ G a − Σ φ(a_k)` with `φ' = a^(−1/α)`, found by a damped Newton method on the
 * Gramian of gradients scaled to similar length, to machine precision: `max_k |a_k^(1/α) (G a)_k − 1|` is a small multiple of K · 2⁻⁵² times the condition of
 * the sums. Multiplying J by s multiplies a by `s^(−2α/(1+α))`.
 *
 * @param alpha - α > 0
 * @throws MultigradError `invalid-argument` for another α, `non-finite` when the solution is beyond float64
 *
 * @see Navon et al., Multi-Task Learning as a Bargaining Game, ICML 2022, equation 2. https://arxiv.org/abs/2202.01017
 * @see Ban and Ji, Fair Resource Allocation in Multi-Task Learning, ICML 2024, equation 5.
 *   https://arxiv.org/abs/2402.15638
 *
 * @example
 * ```ts
 * import { balancedWeights, gramianOf } from '@multigrad/core/strategy';
 *
 * // Orthogonal gradients: a_k = 1 / |g_k|.
 * console.log(balancedWeights(gramianOf([[2, 0], [0, 4]]))); // 0.5, 0.25
 * ```
 */
export function balancedWeights(gramian: Gramian, alpha = 1): Float64Array | null {
  if (!(alpha > 0 && Number.isFinite(alpha))) {
    throw new MultigradError(
      'invalid-argument',
      `Argument \`alpha\` should be a finite number > 0. Found ${alpha}.`,
    );
  }
  const exact = norms(gramian);
  if (exact.some((length) => length === 0)) return null;
  if (minNormPoint(cosineMatrix(gramian, Array.from(exact.keys()))).stationary) return null;

  // Powers of two in place of the lengths: dividing by them rounds nothing, so the equations stay those of G.
  const { size } = gramian;
  const lengths = exact.map((length) => 2 ** Math.floor(Math.log2(length)));
  const matrix = gramian.values.map(
    (value, entry) => value / lengths[Math.floor(entry / size)]! / lengths[entry % size]!,
  );
  // With y_k = a_k d_k: (C y)_k = d_k^(1/α − 1) y_k^(−1/α). The common length is put back at the end.
  const power = 1 / alpha;
  const common = Math.exp(
    lengths.reduce((sum, length) => sum + Math.log(length), 0) / lengths.length,
  );
  const factors = lengths.map((length) => (length / common) ** (power - 1));
  const balanced = newton(matrix, factors, power);
  const weights = balanced.map(
    (value, k) => (value / lengths[k]!) * common ** ((1 - alpha) / (1 + alpha)),
  );
  const beyond = weights.find((weight) => !Number.isFinite(weight) || weight === 0);
  if (beyond === undefined) return weights;
  throw new MultigradError(
    'non-finite',
    `Balanced weights should be representable in float64. Found ${beyond}; scale the gradients.`,
  );
}

/** Minimises `½ yᵀ C y − Σ b_k φ(y_k)`, φ' = y^(−p), from the solution of the diagonal. The result is a work array. */
function newton(matrix: Float64Array, factors: Float64Array, power: number): Float64Array {
  const size = factors.length;
  let point = points.of(size);
  let next = nextPoints.of(size);
  let gradient = gradients.of(size);
  let nextGradient = nextGradients.of(size);
  const factor = hessians.of(size * size);
  const step = steps.of(size);
  for (let k = 0; k < size; k += 1) point[k] = factors[k]! ** (1 / (1 + power));
  let merit = evaluate(matrix, factors, power, point, gradient);
  // Far more than it takes: convergence is quadratic once the damping ends.
  for (let turn = 0; turn < 500 && merit > 0; turn += 1) {
    // In relative coordinates z = dy / y: rows of very different size do no harm.
    for (let i = 0; i < size; i += 1) {
      for (let j = 0; j <= i; j += 1) {
        factor[i * size + j] = matrix[i * size + j]! * point[i]! * point[j]!;
      }
      factor[i * size + i]! += power * factors[i]! * point[i]! ** (1 - power);
      step[i] = -gradient[i]! * point[i]!;
    }
    solvePositive(factor, step);
    // Newton's decrement: the objective is self-concordant up to a constant, so this step stays inside and descends.
    let largest = 0;
    for (let k = 0; k < size; k += 1) largest = Math.max(largest, Math.abs(step[k]!));
    const damping = largest > 0.5 ? 0.5 / largest : 1;
    for (let k = 0; k < size; k += 1) next[k] = point[k]! * (1 + damping * step[k]!);
    const nextMerit = evaluate(matrix, factors, power, next, nextGradient);
    // Near the end rounding decides: the best point is kept.
    if (damping === 1 && nextMerit >= merit && merit < 1e-8) break;
    [point, next] = [next, point];
    [gradient, nextGradient] = [nextGradient, gradient];
    merit = nextMerit;
  }
  return point;
}

/** Writes the gradient; returns the largest residual relative to the barrier's part, `|y_k^p (C y)_k / b_k − 1|`. */
function evaluate(
  matrix: Float64Array,
  factors: Float64Array,
  power: number,
  point: Float64Array,
  gradient: Float64Array,
): number {
  const size = point.length;
  let merit = 0;
  for (let i = 0; i < size; i += 1) {
    let sum = 0;
    for (let j = 0; j < size; j += 1) sum += matrix[i * size + j]! * point[j]!;
    const value = sum - factors[i]! * point[i]! ** -power;
    gradient[i] = value;
    merit = Math.max(merit, (Math.abs(value) * point[i]! ** power) / factors[i]!);
  }
  return merit;
}

/** Solves in place by Cholesky; the lower triangle holds a positive definite matrix, the vector the right side. */
function solvePositive(matrix: Float64Array, vector: Float64Array): void {
  const size = vector.length;
  for (let i = 0; i < size; i += 1) {
    for (let j = 0; j <= i; j += 1) {
      let value = matrix[i * size + j]!;
      for (let k = 0; k < j; k += 1) value -= matrix[i * size + k]! * matrix[j * size + k]!;
      matrix[i * size + j] =
        i === j ? Math.sqrt(Math.max(value, 2 ** -1000)) : value / matrix[j * size + j]!;
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
}
