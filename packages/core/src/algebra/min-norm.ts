import { cosineMatrix } from './cosine-matrix.ts';
import type { Gramian } from './gramian.ts';
import { isZeroWithinError, quadraticForm } from './gramian-forms.ts';
import { nonZero, norms } from './gramian-of.ts';
import { solveNonNegative } from './non-negative-least-squares.ts';

/** The point of smallest norm in the convex hull of K gradients. */
export interface MinNormPoint {
  /** Its convex weights: K numbers >= 0 that add up to 1. */
  readonly weights: Float64Array;
  /** `wᵀ G w`, its squared norm. */
  readonly squaredNorm: number;
  /** Whether the point is zero within the Gramian's error: the group is Pareto stationary. */
  readonly stationary: boolean;
}

/**
 * The min-norm point of the hull: `argmin wᵀ G w` over the simplex, exactly, for any K.
 *
 * For K = 2 the closed form; else an active-set method that ends after finitely many steps. Works on the cosines and
 * on the ratios of the norms, so the answer does not change when J is scaled, and rows of very different size do no
 * harm.
 *
 * @remarks
 * **Stationarity.** Let `h = Σ w_k g_k`, `S = Σ w_k |g_k|` and `e = relativeError + K · 2⁻⁵⁰`. The error of `⟨h, g_i⟩`
 * is at most `e |g_i| S`: each entry contributes `relativeError · |g_i| |g_k| w_k`, the solver's rounding the rest. The
 * point counts as zero when `wᵀ G w <= 4 e S²`, and then `|h|² <= 5 e S²`. If it does not, `|h|² >= 3 e S²`, and with
 * the optimality condition `(G w)_i >= wᵀ G w > 0` follows `⟨h, g_i⟩ >= −e |g_i| S >= −√(e / 3) |h| |g_i|`: along h no
 * objective rises by more than rounding. The test compares with the rows that take part, not with the largest one, so a
 * gradient that is a million times smaller than another is not mistaken for zero, and multiplying rows by positive
 * numbers does not change the promise.
 *
 * **Ties.** Where rows are duplicated or depend on each other several weights give the same point; which of them is
 * returned is not specified.
 *
 * A row that is exactly zero makes the min-norm point zero.
 *
 * @see Wolfe, Finding the nearest point in a polytope, Mathematical Programming 11 (1976);
 *   Désidéri, Multiple-gradient descent algorithm, C. R. Acad. Sci. Paris 350 (2012)
 *
 * @example
 * ```ts
 * import { gramianOf, minNormPoint } from '@multigrad/core/strategy';
 *
 * const { weights } = minNormPoint(
 *   gramianOf([
 *     [-4, 1, 1],
 *     [6, 1, 1],
 *   ]),
 * );
 * console.log(weights); // 0.6, 0.4
 * ```
 */
export function minNormPoint(gramian: Gramian): MinNormPoint {
  const { size } = gramian;
  const lengths = norms(gramian);
  const zeros = lengths.reduce((count, length) => count + (length === 0 ? 1 : 0), 0);
  if (zeros > 0) {
    const weights = lengths.map((length) => (length === 0 ? 1 / zeros : 0));
    return { weights, squaredNorm: 0, stationary: true };
  }
  const unit = cosineMatrix(gramian, nonZero(lengths));
  const { values: cosines } = unit;
  const shortest = lengths.reduce((a, b) => Math.min(a, b));
  const ratios = lengths.map((length) => shortest / length);
  const scaled = size === 2 ? twoRows(cosines[1]!, ratios) : manyRows(cosines, ratios);

  // With v_k = w_k |g_k|: wᵀ G w = vᵀ C v, and w is v over the lengths, normalised to sum 1.
  let total = 0;
  let rows = 0;
  for (let k = 0; k < size; k += 1) {
    total += scaled[k]! * ratios[k]!;
    rows += scaled[k]!;
  }
  const form = Math.max(0, quadraticForm(unit, scaled));
  // The solver ends while a row outside may still be off by K · ε times the terms of its sum, which are at most 3 S.
  // That makes 3 K ε S; a fourth K ε S is for the rounding of the rows inside.
  return {
    weights: scaled.map((value, k) => (value * ratios[k]!) / total),
    squaredNorm: (form / total / total) * shortest * shortest,
    stationary: isZeroWithinError(gramian, form, rows),
  };
}

/** v for two rows of the given cosine and `ratios = shortest / length`; up to a factor. */
function twoRows(cosine: number, ratios: Float64Array): Float64Array {
  const [a, b] = [ratios[0]!, ratios[1]!];
  // w_1 ∝ G_22 − G_12, w_2 ∝ G_11 − G_12; times the lengths, over common factors.
  const first = a - cosine * b;
  const second = b - cosine * a;
  if (first <= 0 && second <= 0) return Float64Array.of(1, 1);
  return Float64Array.of(Math.max(0, first), Math.max(0, second));
}

/**
 * v for any number of rows. Minimising `vᵀ C v` under `aᵀ v = 1`, v >= 0 has the same solution, up to a factor, as
 * minimising `vᵀ C v + (aᵀ v − 1)²` over v >= 0, whose matrix `C + a aᵀ` is better conditioned than C.
 */
function manyRows(cosines: Float64Array, ratios: Float64Array): Float64Array {
  const size = ratios.length;
  const matrix = new Float64Array(size * size);
  for (let i = 0; i < size; i += 1) {
    for (let j = 0; j < size; j += 1) {
      matrix[i * size + j] = cosines[i * size + j]! + ratios[i]! * ratios[j]!;
    }
  }
  // A ray is a combination of rows that is zero: the hull contains the origin.
  return solveNonNegative(matrix, ratios).values;
}
