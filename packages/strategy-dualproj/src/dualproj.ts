import {
  type GradientStrategy,
  isZeroCombination,
  type OptionsOf,
  preferencesOf,
  projectOntoDualCone,
  resolveOptions,
} from '@multigrad/core/strategy';

/** Descriptions of the options of {@link dualproj}. */
export const dualprojOptions = {
  /**
   * Weight of each objective in the vector that is projected, by name, finite and >= 0; objectives that are not named
   * have 1/K. Null is the mean.
   *
   * @defaultValue null
   */
  preference: {
    kind: 'weights',
    preference: 'counts',
    description:
      'Weight of each objective in the vector that is projected, by name, a finite number >= 0; objectives that are not named have 1/K.',
  },
} as const;

/** Options of {@link dualproj}. */
export interface DualprojOptions extends OptionsOf<typeof dualprojOptions> {}

/**
 * DualProj: the mean of the gradients, projected onto their dual cone: the vector nearest to it that conflicts with no
 * gradient.
 *
 * `w = argmin vᵀ G v` over `v >= p`, exactly; p is 1/K each unless preferred. `⟨u, g_k⟩ >= 0` for every k within
 * rounding, `−2 √e |u| |g_k|` with `e = relativeError + K · 2⁻⁵⁰` of the Gramian. The update is no longer than
 * `Σ_i p_i g_i`. Without conflict it is the (weighted) mean. It is the projection of GEM, with every objective's gradient as
 * a constraint.
 *
 * One objective keeps its plain gradient. Zero gradients change nothing but the mean. Where the projection is zero
 * within the Gramian's error, as it is for opposite gradients, their weights are 0 and the note is `stationary`.
 * Multiplying all gradients by a factor multiplies the update by it.
 *
 * @throws MultigradError `invalid-option` for options that do not fit
 *
 * @example
 * ```ts
 * import { integrateMatrix } from '@multigrad/core/strategy';
 * import { dualproj } from '@multigrad/strategy-dualproj';
 *
 * const { weights } = integrateMatrix(dualproj(), [
 *   [-4, 1, 1],
 *   [6, 1, 1],
 * ]);
 * console.log(weights.map((weight) => Number(weight.toFixed(4)))); // Float64Array(2) [ 0.6111, 0.5 ]
 * ```
 *
 * @see D. Lopez-Paz, M. Ranzato, "Gradient Episodic Memory for Continual Learning", NeurIPS 2017, equation 11.
 * https://arxiv.org/abs/1706.08840
 */
export function dualproj(options: DualprojOptions = {}): GradientStrategy<null> {
  const { preference } = resolveOptions<DualprojOptions>('dualproj', dualprojOptions, options);
  return {
    specification: 1,
    name: 'dualproj',
    needs: { gradients: 'gramian' },
    init: () => null,
    integrate({ objectives, gramian }, state) {
      const start = preferencesOf(objectives, preference, 1 / gramian.size);
      const weights = projectOntoDualCone(gramian, start);
      // A zero update that follows from preferences of zero says nothing about the gradients.
      const stationary = isZeroCombination(gramian, weights) && !isZeroCombination(gramian, start);
      return stationary ? { weights, state, note: 'stationary' } : { weights, state };
    },
  };
}
