import {
  type GradientStrategy,
  MultigradError,
  type OptionsOf,
  preferencesOf,
  resolveOptions,
} from '@multigrad/core/strategy';
import { searchWeights } from './search-weights.ts';

/** Descriptions of the options of {@link epo}. */
export const epoOptions = {
  /**
   * Preference r of each objective by name, finite and > 0: the weighted losses `r_k L_k` are made equal, so a greater
   * preference asks for a smaller loss. Objectives that are not named have 1.
   *
   * @defaultValue null
   */
  preference: {
    kind: 'weights',
    positive: true,
    preference: 'counts',
    description:
      'Preference of each objective by name, a finite number > 0: loss times preference is made equal for all, so a greater one asks for a smaller loss. Objectives that are not named have 1.',
  },
  /**
   * Non-uniformity μ up to which the losses count as balanced: 0 or more, at most `ln K` has an effect.
   *
   * @defaultValue 1e-4
   */
  tolerance: {
    kind: 'number',
    default: 1e-4,
    minimum: 0,
    description:
      'Non-uniformity of the preferred losses up to which they count as balanced, 0 or more; the greatest possible is ln K.',
  },
  /** Whether a step of descent may leave the balance, so that no objective rises. @defaultValue false */
  relax: {
    kind: 'boolean',
    default: false,
    description:
      'Whether steps that descend on all objectives, once the losses are balanced, may leave the balance again.',
  },
} as const;

/** Options of {@link epo}. */
export interface EpoOptions extends OptionsOf<typeof epoOptions> {}

/**
 * EPO, exact Pareto optimal search: steps towards the losses whose products with the preferences are equal, and descent
 * on all objectives once they are. On the way objectives may rise, which lets it move along a Pareto front.
 *
 * With `q_k = r_k L_k / Σ_j r_j L_j` the non-uniformity is `μ = Σ_k q_k ln(K q_k)`, 0 … ln K, and
 * `a_k = r_k (ln(K q_k) − μ)`. The weights α, >= 0 with the sum 1, are the solution of a linear program with the
 * Gramian G:
 *
 * - μ > tolerance, **balance**: `max αᵀ G a`, where `(G α)_k >= 0` for the objective whose `r_k L_k` is greatest, and
 *   `(G α)_k >= (G a)_k` for the others whose `(G a)_k <= 0`. Where no `(G a)_k` is positive: `G α >= 0`.
 * - else **descent**: `max Σ_k (G α)_k`, where `G α >= 0` and `αᵀ G a >= min(0, max_k (G a)_k)`. With `relax` the last
 *   constraint is left out. Where it cannot be fulfilled it is left out too, noted `relaxed`.
 *
 * The note is `descent` for the second kind of step. The update has the size of one gradient. One objective keeps its plain
 * gradient. Multiplying all gradients by a factor multiplies the update by it. Where several weights solve the program,
 * which of them is taken is not specified. The diagnostic `nonUniformity` is μ.
 *
 * @remarks
 * The official code solves the same programs. Its training scripts multiply the weights by K, or the step by
 * `10 max(μ, 0.1)`, which the learning rate does here, and take `r / Σ r` for weights where the solver fails.
 *
 * @throws MultigradError `invalid-option` for options that do not fit; `integrate` throws `invalid-objective` for a loss
 * <= 0, naming the objective
 *
 * @example
 * ```ts
 * import { integrateMatrix } from '@multigrad/core/strategy';
 * import { epo } from '@multigrad/strategy-epo';
 *
 * const strategy = epo({ preference: { speed: 1, quality: 3 } });
 * const { weights } = integrateMatrix(strategy, [[1, 0], [0.5, 1]], {
 *   objectives: ['speed', 'quality'],
 *   losses: [0.4, 0.4],
 * });
 * console.log(weights); // Float64Array(2) [ 0, 1 ]
 * ```
 *
 * @see D. Mahapatra, V. Rajan, "Multi-Task Learning with User Preferences: Gradient Descent with Controlled Ascent in
 * Pareto Optimization", ICML 2020, section 4. https://proceedings.mlr.press/v119/mahapatra20a.html
 */
export function epo(options: EpoOptions = {}): GradientStrategy<null> {
  const { preference, tolerance, relax } = resolveOptions<EpoOptions>('epo', epoOptions, options);
  return {
    specification: 1,
    name: 'epo',
    needs: { gradients: 'gramian', losses: 'now' },
    init: () => null,
    integrate({ objectives, gramian, losses }, state) {
      const preferred = preferencesOf(objectives, preference, 1);
      const preferredLosses = objectives.map((name, k) => {
        const loss = losses[k]!;
        if (loss > 0) return loss * preferred[k]!;
        throw new MultigradError(
          'invalid-objective',
          `The loss of objective \`${name}\` should be > 0, because \`epo\` takes its logarithm. Found ${loss}.`,
        );
      });
      const scale = Math.max(...preferred);
      const { nonUniformity, logarithms } = imbalanceOf(preferredLosses);
      const found = searchWeights(gramian, {
        worst: preferredLosses.map((value) => value === Math.max(...preferredLosses)),
        pulls: logarithms.map((value, k) => (preferred[k]! / scale) * value),
        scale,
        isBalanced: nonUniformity <= tolerance,
        relax,
      });
      return { ...found, state, diagnostics: { nonUniformity } };
    },
  };
}

/** `μ = Σ q_k ln(K q_k)` and `ln(K q_k) − μ` of the shares q_k of preferred losses. */
function imbalanceOf(preferredLosses: readonly number[]): {
  readonly nonUniformity: number;
  readonly logarithms: readonly number[];
} {
  const size = preferredLosses.length;
  const greatest = Math.max(...preferredLosses);
  // Divide by the greatest first, so that the sum does not overflow.
  const relative = preferredLosses.map((value) => value / greatest);
  const total = relative.reduce((sum, value) => sum + value, 0);
  // A share that float64 cannot tell from zero adds nothing to μ; the logarithm of its size stays finite.
  const shares = relative.map((value) => Math.max(value / total, Number.MIN_VALUE));
  const logarithms = shares.map((share) => Math.log(size * share));
  const sum = shares.reduce((all, share, k) => all + share * logarithms[k]!, 0);
  const nonUniformity = Math.max(0, sum);
  return { nonUniformity, logarithms: logarithms.map((value) => value - nonUniformity) };
}
