import { balance } from './balance.ts';
import { cosineMatrix } from './cosine-matrix.ts';
import { MultigradError } from '../base/errors.ts';
import type { Gramian } from './gramian.ts';
import { norms } from './gramian-of.ts';
import { minNormPoint } from './min-norm.ts';

/** The result of {@link balancedWeights}. */
export interface BalancedWeights {
  /** K numbers >= 0: the solution, or zeros where `note` says that there is none. */
  readonly weights: Float64Array;
  /**
   * Why there are no weights: `stationary` where the equations have no solution, `unsolved` where the solution found
   * failed the check. Absent where the weights are the solution.
   */
  readonly note?: 'stationary' | 'unsolved';
}

/**
 * The positive weights with `(G a)_k = a_k^(−1/α)`: the bargaining solution for α = 1, an α-fair one for other α.
 *
 * There is none for gradients that are Pareto stationary (some combination with weights >= 0 is zero within the
 * Gramian's error), a zero gradient among them. Elsewhere there is exactly one: the minimum of the convex
 * `½ aᵀ G a − Σ φ(a_k)` with `φ' = a^(−1/α)`. Newton's method finds it on the Gramian of unit gradients. Multiplying J by
 * s multiplies a by `s^(−2α/(1+α))`.
 *
 * **The solution is checked**: `|(G a)_k − a_k^(−1/α)| <= (2⁻³⁶ + relativeError) Σ_j |G_kj| a_j` for every k. So a
 * solves the equations of a Gramian that differs from this one by no more than that. Where the check fails the note is
 * `unsolved`.
 *
 * For a large α a weight may be less than float64 can hold, `(G a)_k^(−α)`; then it is 0.
 *
 * @param alpha - α in 0.1 … 100
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
 * console.log(balancedWeights(gramianOf([[2, 0], [0, 4]])).weights); // 0.5, 0.25
 * ```
 */
export function balancedWeights(gramian: Gramian, alpha = 1): BalancedWeights {
  if (!(alpha >= 0.1 && alpha <= 100)) {
    throw new MultigradError(
      'invalid-argument',
      `Argument \`alpha\` should be a number in 0.1 … 100. Found ${alpha}.`,
    );
  }
  const { size } = gramian;
  const lengths = norms(gramian);
  const none = (note: 'stationary' | 'unsolved'): BalancedWeights => ({
    weights: new Float64Array(size),
    note,
  });
  if (lengths.some((length) => length === 0)) return none('stationary');
  const cosines = cosineMatrix(gramian, Array.from(lengths.keys()));
  if (minNormPoint(cosines).stationary) return none('stationary');

  // With y_k = a_k |g_k| and the cosines C: (C y)_k = |g_k|^(1/α − 1) y_k^(−1/α).
  const logarithms = lengths.map((length) => Math.log(length));
  const power = 1 / alpha;
  const balanced = balance(
    cosines,
    logarithms.map((logarithm) => (power - 1) * logarithm),
    power,
  );
  if (balanced === null) return none('unsolved');
  const weights = balanced.map((value, k) => Math.exp(value - logarithms[k]!));
  const beyond = weights.find((weight) => !Number.isFinite(weight));
  if (beyond === undefined && weights.some((weight) => weight > 0)) return { weights };
  throw new MultigradError(
    'non-finite',
    `Balanced weights should be representable in float64. Found ${beyond ?? 0}; scale the gradients.`,
  );
}
