import {
  type GradientStrategy,
  type OptionsOf,
  preferencesOf,
  resolveOptions,
} from '@multigrad/core/strategy';
import { averseWeights } from './averse-weights.ts';

/** Descriptions of the options of {@link cagrad}. */
export const cagradOptions = {
  /**
   * Greatest distance of the update from the mean of the gradients, as a multiple of the mean's length, >= 0. With 0
   * the update is the mean; with 1 or more it never conflicts. Less than 1e-6 counts as 0.
   *
   * @defaultValue 0.5
   */
  c: {
    kind: 'number',
    default: 0.5,
    minimum: 0,
    description:
      'Greatest distance of the update from the mean of the gradients in lengths of that mean, 0 or more: 0 is the mean itself, from 1 on the update never conflicts.',
  },
  /**
   * Divisor of the update at the end: 1 (`none`), `1 + c²` (`square`) or `1 + c` (`linear`).
   *
   * @defaultValue 'none'
   */
  rescale: {
    kind: 'choice',
    choices: ['none', 'square', 'linear'],
    default: 'none',
    description:
      'What the update is divided by at the end: nothing, 1 + c² (square) or 1 + c (linear).',
  },
  /**
   * Preference of each objective by name, finite and >= 0; objectives that are not named have 1. The preferences of the
   * objectives present are divided by their sum, and the mean of the gradients is weighted by them. Null prefers none.
   *
   * @defaultValue null
   */
  preference: {
    kind: 'weights',
    description:
      'Preference of each objective by name, a finite number >= 0; objectives that are not named have 1, and the sum is scaled to 1.',
  },
  /**
   * Whether no objective counts in `g_w` for more than in the mean, as RACO has it for c < 1.
   *
   * @defaultValue false
   */
  clip: {
    kind: 'boolean',
    default: false,
    description:
      'Whether what is added to the mean gives no objective more weight than the mean (RACO).',
  },
} as const;

/** Options of {@link cagrad}. */
export interface CagradOptions extends OptionsOf<typeof cagradOptions> {}

/**
 * CAGrad, conflict-averse gradient descent: of all vectors within `c |g_0|` of the mean gradient `g_0`, the one whose
 * smallest gain `min_k ⟨u, g_k⟩` is greatest.
 *
 * `u = g_0 + c |g_0| g_w / |g_w|` with `w = argmin ⟨g_w, g_0⟩ + c |g_0| |g_w|` over the simplex, `g_w = Σ w_k g_k`. With
 * c >= 1 no objective rises. The minimum is found exactly: for a fixed length of `g_w` it is a min-norm point, and the
 * length a root in one dimension. Multiplying all gradients by a factor multiplies the update by it. One objective has
 * `(1 + c) g`.
 *
 * - Where the best `g_w` is zero (Pareto stationary gradients) and c < 1, the update is the vector nearest to `g_0`
 *   that conflicts with none, and raises no objective, unless that vector lies beyond the radius as far as the inner
 *   products tell. With c >= 1 the update is zero, noted `stationary`.
 * - Where the mean is zero the update is zero too, noted `stationary`.
 * - The solution is checked: the gains of the objectives that take part in `g_w` have to be the least, each within
 *   `(2⁻³⁰ + 4 relativeError) Σ_j |G_kj w_j|`. The check fails where a Gramian has a larger error than it states. Then
 *   the update is the mean, noted `unsolved`, and with c >= 1 the projection of the mean onto the dual cone.
 * - c below 1e-6 counts as 0.
 * - With c >= 1 an update that conflicts by rounding is projected onto the dual cone, however near to stationary the
 *   gradients are. Then `⟨u, g_k⟩ >= −2 √e |u| |g_k|` with `e = relativeError + K · 2⁻⁵⁰`; where no vector fulfils that
 *   the update is zero, noted `stationary`.
 * - With those inner products u is the best of its kind within `12 K √e (1 + c) |g_0| max |g_k|` of gain, and
 *   `|u − g_0|² <= (c |g_0|)² + 4 e (1 + c²) (Σ_k |w_k| |g_k|)²`.
 *
 * - With a `preference` p `g_0 = Σ p_k g_k`; all of the above holds for that mean. If every objective present has the
 *   preference 0 all weights are 0 and the note is `degenerate`.
 * - With `clip` the shares w_k are cut to `min(w_k, p_k)`, not scaled again, so `g_w` leans less to an objective that the
 *   preference gives little: CAGrad-Clip of RACO, which has c < 1. Where `g_w` is then zero the update is `g_0`. The least
 *   gain is no longer the greatest that can be had; with c >= 1 the projection onto the dual cone keeps the update from
 *   conflicting.
 *
 * @remarks
 * The official code finds w by iterations of a general solver. Its `rescale` 1 is `square`, its 2 is `linear`.
 *
 * @throws MultigradError `invalid-option` for options that do not fit
 *
 * @example
 * ```ts
 * import { integrateMatrix } from '@multigrad/core/strategy';
 * import { cagrad } from '@multigrad/strategy-cagrad';
 *
 * const { update } = integrateMatrix(cagrad(), [
 *   [-4, 1, 1],
 *   [6, 1, 1],
 * ]);
 * console.log(update.map((value) => Number(value.toFixed(4)))); // Float64Array(3) [ 0.1835, 1.2041, 1.2041 ]
 * ```
 *
 * @see B. Liu, X. Liu, X. Jin, P. Stone, Q. Liu, "Conflict-Averse Gradient Descent for Multi-task Learning",
 * NeurIPS 2021, Algorithm 1. https://arxiv.org/abs/2110.14048; with `clip` P. Chen, X. Li, X. Chen, T. Lin,
 * "Reward-free Alignment for Conflicting Objectives", ICML 2026, Algorithm 1. https://arxiv.org/abs/2602.02495
 */
export function cagrad(options: CagradOptions = {}): GradientStrategy<null> {
  const { c, rescale, preference, clip } = resolveOptions<CagradOptions>(
    'cagrad',
    cagradOptions,
    options,
  );
  const divisor = { none: 1, square: 1 + c * c, linear: 1 + c }[rescale];
  return {
    specification: 1,
    name: 'cagrad',
    needs: { gradients: 'gramian' },
    init: () => null,
    integrate({ objectives, gramian }, state) {
      const preferred = preferencesOf(objectives, preference, 1);
      const largest = Math.max(...preferred);
      if (largest === 0) return { weights: preferred, state, note: 'degenerate' };
      // Divided by the largest first: the plain sum could overflow.
      const parts = preferred.map((value) => value / largest);
      const total = parts.reduce((a, b) => a + b);
      const mean = parts.map((part) => part / total);
      const { weights, ...note } = averseWeights(gramian, c, mean, clip);
      return { weights: weights.map((weight) => weight / divisor), ...note, state };
    },
  };
}
