import {
  type GradientStrategy,
  type OptionsOf,
  preferencesOf,
  resolveOptions,
} from '@multigrad/core/strategy';

/** Descriptions of the options of {@link cosmos}. */
export const cosmosOptions = {
  /** Weight μ of the cosine between losses and preference, >= 0. @defaultValue 1 */
  mu: {
    kind: 'number',
    default: 1,
    minimum: 0,
    description:
      'Weight of the cosine between losses and preference, 0 or more: the larger, the more the losses are drawn to the proportions of the preference.',
  },
  /**
   * Preference of each objective by name, finite and >= 0; objectives that are not named have 1/K.
   *
   * @defaultValue null
   */
  preference: {
    kind: 'weights',
    preference: 'ray',
    description:
      'Preference of each objective by name, a finite number >= 0; objectives that are not named have 1/K.',
  },
} as const;

/** Options of {@link cosmos}. */
export interface CosmosOptions extends OptionsOf<typeof cosmosOptions> {}

/**
 * The scalarisation of COSMOS: the preferred sum of the losses, less the cosine between losses and preference.
 *
 * `pᵀ L − μ cos(p, L)`, whose weights are `p − μ (p / |p| − cos · L / |L|) / |L|`. Where L or p is zero the cosine takes no
 * part. **A weight may be negative.** One objective has the weight `p_1 = 1`.
 *
 * @remarks
 * The paper conditions the network on preferences drawn at each step; this is its loss for one preference.
 *
 * @throws MultigradError `invalid-option` for options that do not fit
 *
 * @example
 * ```ts
 * import { integrateMatrix } from '@multigrad/core/strategy';
 * import { cosmos } from '@multigrad/scalarization';
 *
 * const { weights } = integrateMatrix(cosmos(), [[1], [2]], { losses: [3, 3] });
 * console.log(weights.map((weight) => Number(weight.toFixed(4)))); // Float64Array(2) [ 0.5, 0.5 ]
 * ```
 *
 * @see M. Ruchte, J. Grabocka, "Scalable Pareto Front Approximation for Deep Multi-Objective Learning", ICDM 2021,
 * equation 4. https://arxiv.org/abs/2103.13392
 */
export function cosmos(options: CosmosOptions = {}): GradientStrategy<null> {
  const { mu, preference } = resolveOptions<CosmosOptions>('cosmos', cosmosOptions, options);
  return {
    specification: 1,
    name: 'cosmos',
    needs: { gradients: 'none', losses: 'now' },
    init: () => null,
    integrate({ objectives, losses }, state) {
      const preferred = preferencesOf(objectives, preference, 1 / objectives.length);
      const [long, size] = [Math.hypot(...preferred), Math.hypot(...losses)];
      if (long === 0 || size === 0) return { weights: preferred, state };
      const unit = preferred.map((value) => value / long);
      const cosine = losses.reduce((sum, loss, k) => sum + (loss / size) * unit[k]!, 0);
      const weights = preferred.map(
        (value, k) => value - (mu * (unit[k]! - (cosine * losses[k]!) / size)) / size,
      );
      return { weights, state };
    },
  };
}
