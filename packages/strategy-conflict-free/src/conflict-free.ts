import {
  cosineMatrix,
  type GradientStrategy,
  innerProducts,
  minNormPoint,
  nonZero,
  norms,
  type OptionsOf,
  preferencesOf,
  pseudoInverse,
  resolveOptions,
} from '@multigrad/core/strategy';

/** Descriptions of the options of {@link conflictFree}. */
export const conflictFreeOptions = {
  /**
   * Preference of each objective by name, finite and >= 0: the cosines of the update with the gradients are in this
   * proportion. Objectives that are not named have 1. Null prefers none.
   *
   * @defaultValue null
   */
  preference: {
    kind: 'weights',
    preference: 'counts',
    description:
      'Proportion of the cosines of the update with each gradient by objective name, a finite number >= 0; objectives that are not named have 1.',
  },
} as const;

/** Options of {@link conflictFree}. */
export interface ConflictFreeOptions extends OptionsOf<typeof conflictFreeOptions> {}

/**
 * ConFIG, conflict-free inverse gradients: a direction whose cosines with the gradients are in the preferred
 * proportion.
 *
 * `u = (Σ_k ⟨g_k, d⟩) d`, where d is the unit vector along `Σ_k y_k g_k / |g_k|` with `y = C⁺ p`, C the matrix of the
 * gradients' cosines and p the preference. For linearly independent gradients the cosine of u and `g_k` is proportional
 * to `p_k`, so u conflicts with none of them. The length is that of K gradients that agree: two equal gradients have
 * the update `g_1 + g_2`. Scaling a gradient changes the length of the update, never its direction; multiplying all by
 * a factor multiplies the update by it. One objective keeps its plain gradient.
 *
 * - Pareto stationary gradients (a convex combination of them is zero within the Gramian's error) have no direction
 *   without conflict: all weights are 0 and the note is `stationary`.
 * - Other linearly dependent gradients have the proportion in the sense of least squares, and the update may conflict
 *   with one of them. Dependence is decided against the Gramian's error.
 * - A gradient that is exactly zero takes no part: its weight is 0. If all are, the note is `stationary`.
 * - If every gradient that is not zero has the preference 0 the direction is 0/0: all weights are 0 and the note is
 *   `degenerate`.
 *
 * A preference for a name that a group does not have is no error: another group may have it.
 *
 * @remarks
 * The paper's pseudo-inverse gives a direction at some Pareto stationary gradients too, which raises a loss; here the
 * update is zero at all of them.
 *
 * @throws MultigradError `invalid-option` for options that do not fit
 *
 * @example
 * ```ts
 * import { integrateMatrix } from '@multigrad/core/strategy';
 * import { conflictFree } from '@multigrad/strategy-conflict-free';
 *
 * const { update } = integrateMatrix(conflictFree(), [
 *   [-4, 1, 1],
 *   [6, 1, 1],
 * ]);
 * console.log(update.map((value) => Number(value.toFixed(4)))); // Float64Array(3) [ 0.1588, 2.0706, 2.0706 ]
 * ```
 *
 * @see Q. Liu, M. Chu, N. Thuerey, "ConFIG: Towards Conflict-free Training of Physics Informed Neural Networks",
 * ICLR 2025, section 3. https://arxiv.org/abs/2408.11104
 */
export function conflictFree(options: ConflictFreeOptions = {}): GradientStrategy<null> {
  const { preference } = resolveOptions<ConflictFreeOptions>(
    'conflict-free',
    conflictFreeOptions,
    options,
  );
  return {
    specification: 1,
    name: 'conflict-free',
    needs: { gradients: 'gramian' },
    init: () => null,
    integrate({ objectives, gramian }, state) {
      const weights = new Float64Array(gramian.size);
      const lengths = norms(gramian);
      const active = nonZero(lengths);
      if (active.length === 0) return { weights, state, note: 'stationary' };
      const named = active.map((k) => objectives[k]!);
      const preferred = preferencesOf(named, preference, 1);
      const greatest = preferred.reduce((most, value) => Math.max(most, value), 0);
      if (greatest === 0) return { weights, state, note: 'degenerate' };
      const cosines = cosineMatrix(gramian, active);
      const inverse = pseudoInverse(cosines);
      // If no combination is zero, none with weights >= 0 is.
      if (inverse.rank < active.length && minNormPoint(cosines).stationary) {
        return { weights, state, note: 'stationary' };
      }

      // Only the proportion counts: divide by the greatest, so that no product overflows.
      const proportion = preferred.map((value) => value / greatest);
      const along = innerProducts({ size: cosines.size, values: inverse.values }, proportion);
      const projections = innerProducts(cosines, along);
      // > 0 where the gradients are not stationary: p >= 0 is not in the null space of their cosines.
      const squared = along.reduce((sum, value, at) => sum + value * projections[at]!, 0);
      const longest = active.reduce((most, k) => Math.max(most, lengths[k]!), 0);
      const relative = Float64Array.from(active, (k) => lengths[k]! / longest);
      const total = projections.reduce((sum, value, at) => sum + value * relative[at]!, 0);
      active.forEach((k, at) => (weights[k] = ((total / squared) * along[at]!) / relative[at]!));
      return { weights, state };
    },
  };
}
