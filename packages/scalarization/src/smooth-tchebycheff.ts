import {
  type GradientStrategy,
  type OptionsOf,
  preferencesOf,
  resolveOptions,
} from '@multigrad/core/strategy';
import { softmax } from './losses.ts';

/** Descriptions of the options of {@link smoothTchebycheff}. */
export const smoothTchebycheffOptions = {
  /** Smoothness μ, > 0: towards 0 the worst objective alone counts. @defaultValue 1 */
  mu: {
    kind: 'number',
    default: 1,
    exclusiveMinimum: 0,
    description: 'Smoothness, above 0: the smaller, the more the worst objective alone counts.',
  },
  /**
   * Preference of each objective by name, finite and >= 0; objectives that are not named have 1/K.
   *
   * @defaultValue null
   */
  preference: {
    kind: 'weights',
    preference: 'counts',
    description:
      'Preference of each objective by name, a finite number >= 0; objectives that are not named have 1/K.',
  },
  /**
   * Reference point z by objective name, >= 0: the loss that would be perfect; 0 where nothing is named.
   *
   * @defaultValue null
   */
  reference: {
    kind: 'weights',
    description:
      'Ideal loss of each objective by name, >= 0; objectives that are not named have 0.',
  },
} as const;

/** Options of {@link smoothTchebycheff}. */
export interface SmoothTchebycheffOptions extends OptionsOf<typeof smoothTchebycheffOptions> {}

/**
 * STCH, smooth Tchebycheff scalarization: a smooth maximum of the preferred losses, `μ log Σ_k e^(p_k (L_k − z_k) / μ)`,
 * whose weights are `w_k = p_k softmax(p (L − z) / μ)_k`.
 *
 * One objective has `p_1 = 1`, its plain gradient. Losses may have any sign.
 *
 * @throws MultigradError `invalid-option` for options that do not fit
 *
 * @example
 * ```ts
 * import { integrateMatrix } from '@multigrad/core/strategy';
 * import { smoothTchebycheff } from '@multigrad/scalarization';
 *
 * const { weights } = integrateMatrix(smoothTchebycheff(), [[1], [2]], { losses: [3, 3] });
 * console.log(weights); // Float64Array(2) [ 0.25, 0.25 ]
 * ```
 *
 * @see X. Lin et al., "Smooth Tchebycheff Scalarization for Multi-Objective Optimization", ICML 2024, equation 8.
 * https://arxiv.org/abs/2402.19078
 */
export function smoothTchebycheff(options: SmoothTchebycheffOptions = {}): GradientStrategy<null> {
  const name = 'smooth-tchebycheff';
  const { mu, preference, reference } = resolveOptions<SmoothTchebycheffOptions>(
    name,
    smoothTchebycheffOptions,
    options,
  );
  return {
    specification: 1,
    name,
    needs: { gradients: 'none', losses: 'now' },
    init: () => null,
    integrate({ objectives, losses }, state) {
      const preferred = preferencesOf(objectives, preference, 1 / objectives.length);
      const perfect = preferencesOf(objectives, reference, 0);
      const scores = losses.map((loss, k) => preferred[k]! * (loss - perfect[k]!));
      // Subtract the greatest score before the division: a score over a small μ could overflow to ∞, while a difference
      // may overflow to −∞.
      const greatest = scores.reduce((a, b) => Math.max(a, b));
      const shares = softmax(scores.map((score) => (score - greatest) / mu));
      return { weights: shares.map((share, k) => preferred[k]! * share), state };
    },
  };
}
