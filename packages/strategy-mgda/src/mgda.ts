import {
  dividedGramian,
  type GradientStrategy,
  type GroupGradients,
  minNormPoint,
  MultigradError,
  type Needs,
  norms,
  type OptionsOf,
  resolveOptions,
} from '@multigrad/core/strategy';

/** Descriptions of the options of {@link mgda}. */
export const mgdaOptions = {
  /**
   * Divisor of each gradient before the shortest combination is sought: 1 (`none`), its length (`l2`), its loss
   * (`loss`), or both (`loss+`). The last two need losses > 0.
   *
   * @defaultValue 'none'
   */
  normalization: {
    kind: 'choice',
    choices: ['none', 'l2', 'loss', 'loss+'],
    default: 'none',
    description:
      'What each gradient is divided by before the shortest combination is sought: nothing, its length (l2), its loss (loss, which must be > 0), or both (loss+).',
  },
  /**
   * The gradients that the weights are applied to: as they are (`raw`, the official code) or divided as `normalization`
   * says (`normalized`). Without a normalization it makes no difference.
   *
   * @defaultValue 'raw'
   */
  applyTo: {
    kind: 'choice',
    choices: ['raw', 'normalized'],
    default: 'raw',
    description:
      'Whether the weights found are applied to the gradients as they are (raw, the official code) or divided as above (normalized).',
  },
} as const;

/** Options of {@link mgda}. */
export interface MgdaOptions extends OptionsOf<typeof mgdaOptions> {}

/**
 * MGDA, the multiple-gradient descent algorithm: the shortest convex combination of the gradients.
 *
 * `u = Σ_k a_k g_k` with `a = argmin |Σ_k a_k g_k / n_k|²` over `a_k >= 0, Σ_k a_k = 1`, where the divisors `n_k` are 1
 * (`none`), `|g_k|` (`l2`), `L_k` (`loss`) or `L_k |g_k|` (`loss+`). With `applyTo: 'normalized'` the update is
 * `Σ_k a_k g_k / n_k`, the weights `a_k / n_k`. The weights sum to 1: the update has the size of one gradient. One
 * objective keeps its plain gradient (divided by `n_1` with `applyTo: 'normalized'`).
 *
 * Without normalization `⟨u, g_k⟩ >= |u|²` for every k: the update is a common descent direction. With rounding,
 * `⟨u, g_k⟩ >= −ε |u| |g_k|`, where ε is the square root of the Gramian's relative error, which counts as K · 2⁻⁵⁰ where
 * it is stated smaller. The same holds with `applyTo: 'normalized'`. Weights
 * from normalised gradients applied to raw ones, the official code's way, may raise a loss.
 *
 * Where the shortest combination is zero within the Gramian's error no common descent direction exists. The group is
 * Pareto stationary: all weights are 0 and the note is `stationary`. Dividing gradients by positive numbers does not
 * change whether this is so. A gradient that is exactly zero makes the group stationary, whatever the normalization:
 * nothing decreases that objective, and MGDA moves only where all decrease. (The official code divides by zero there.)
 *
 * @remarks
 * The minimum is found exactly, in closed form for two objectives and by an active set for more; the paper uses
 * Frank-Wolfe iterations. The official code's solver returns weights .999 and .001 where the minimum is one of the two
 * gradients; here they are 1 and 0.
 *
 * @throws MultigradError `invalid-option` for options that do not fit; `integrate` throws `invalid-objective` for a
 * loss <= 0 that it would divide by
 *
 * @example
 * ```ts
 * import { integrateMatrix } from '@multigrad/core/strategy';
 * import { mgda } from '@multigrad/strategy-mgda';
 *
 * const { weights } = integrateMatrix(mgda(), [
 *   [-4, 1, 1],
 *   [6, 1, 1],
 * ]);
 * console.log(weights.map((weight) => Number(weight.toFixed(4)))); // Float64Array(2) [ 0.6, 0.4 ]
 * ```
 *
 * @see J.-A. Désidéri, "Multiple-gradient descent algorithm (MGDA) for multiobjective optimization", Comptes Rendus
 * Mathématique 350, 2012. https://doi.org/10.1016/j.crma.2012.03.014
 * @see O. Sener, V. Koltun, "Multi-Task Learning as Multi-Objective Optimization", NeurIPS 2018, equation 3.
 * https://arxiv.org/abs/1810.04650
 */
export function mgda(options: MgdaOptions = {}): GradientStrategy<null> {
  const { normalization, applyTo } = resolveOptions<MgdaOptions>('mgda', mgdaOptions, options);
  const needs: Needs =
    normalization === 'loss' || normalization === 'loss+'
      ? { gradients: 'gramian', losses: 'now' }
      : { gradients: 'gramian' };
  return {
    specification: 1,
    name: 'mgda',
    needs,
    init: () => null,
    integrate(gradients, state) {
      const { gramian } = gradients;
      const divisors = divisorsOf(gradients, normalization);
      // Divide by the least divisor: the shortest combination is the same, and no inner product overflows.
      const least = divisors.reduce((a, b) => Math.min(a, b));
      const relative = divisors.map((divisor) => divisor / least);
      const { weights, stationary } = minNormPoint(dividedGramian(gramian, relative));
      if (stationary) return { weights: new Float64Array(gramian.size), state, note: 'stationary' };
      if (applyTo === 'raw') return { weights, state };
      return { weights: weights.map((weight, k) => weight / divisors[k]!), state };
    },
  };
}

/** The positive numbers n_k that the gradients are divided by; 1 for the length of a zero gradient, which stays zero. */
function divisorsOf(
  gradients: GroupGradients,
  normalization: Required<MgdaOptions>['normalization'],
): Float64Array {
  const { objectives, gramian } = gradients;
  const divisors = new Float64Array(gramian.size).fill(1);
  if (normalization === 'l2' || normalization === 'loss+') {
    norms(gramian).forEach((length, k) => (divisors[k] = length || 1));
  }
  if (normalization === 'loss' || normalization === 'loss+') {
    gradients.losses.forEach((loss, k) => {
      if (!(loss > 0)) {
        throw new MultigradError(
          'invalid-objective',
          `The loss of objective \`${objectives[k]!}\` should be > 0, because \`mgda\` with normalization ` +
            `"${normalization}" divides by it. Found ${loss}.`,
        );
      }
      divisors[k]! *= loss;
    });
  }
  return divisors;
}
