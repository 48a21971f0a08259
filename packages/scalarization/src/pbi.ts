import {
  type GradientStrategy,
  type OptionsOf,
  preferencesOf,
  resolveOptions,
} from '@multigrad/core/strategy';

/** Descriptions of the options of {@link pbi}. */
export const pbiOptions = {
  /** Weight θ of the distance from the preferred ray, >= 0. @defaultValue 5 */
  theta: {
    kind: 'number',
    default: 5,
    minimum: 0,
    description:
      'Weight of the distance from the preferred ray, 0 or more: the larger, the closer the losses stay to the ray.',
  },
  /**
   * Direction of the preferred ray by objective name, finite and >= 0; objectives that are not named have 1.
   *
   * @defaultValue null
   */
  preference: {
    kind: 'weights',
    preference: 'ray',
    description:
      'Direction of the preferred ray by objective name, a finite number >= 0; objectives that are not named have 1.',
  },
  /**
   * Reference point z by objective name, >= 0, from which the ray starts; 0 where nothing is named.
   *
   * @defaultValue null
   */
  reference: {
    kind: 'weights',
    description:
      'Point from which the ray starts, by objective name, >= 0; objectives that are not named have 0.',
  },
} as const;

/** Options of {@link pbi}. */
export interface PbiOptions extends OptionsOf<typeof pbiOptions> {}

/**
 * PBI, penalty-based boundary intersection: the losses move along a preferred ray, and are drawn towards it.
 *
 * `d_1 + θ d_2` with `q = p / |p|`, `d_1 = (L − z)ᵀ q` and `d_2 = |L − z − d_1 q|`; the weights are its gradient,
 * `q + θ (L − z − d_1 q) / d_2`. On the ray (d_2 zero within rounding) they are q. **A weight may be negative**: an
 * objective that is ahead of the ray is held back. One objective has the weight 1. Where all preferences of the objectives
 * present are 0 so are the weights, noted `degenerate`.
 *
 * @throws MultigradError `invalid-option` for options that do not fit
 *
 * @example
 * ```ts
 * import { integrateMatrix } from '@multigrad/core/strategy';
 * import { pbi } from '@multigrad/scalarization';
 *
 * const { weights } = integrateMatrix(pbi({ theta: 0 }), [[1], [2]], { losses: [3, 4] });
 * console.log(weights.map((weight) => Number(weight.toFixed(4)))); // Float64Array(2) [ 0.7071, 0.7071 ]
 * ```
 *
 * @see Q. Zhang, H. Li, "MOEA/D: A Multiobjective Evolutionary Algorithm Based on Decomposition", IEEE Transactions on
 * Evolutionary Computation 11, 2007, section II.C. https://doi.org/10.1109/TEVC.2007.892759
 */
export function pbi(options: PbiOptions = {}): GradientStrategy<null> {
  const { theta, preference, reference } = resolveOptions<PbiOptions>('pbi', pbiOptions, options);
  return {
    specification: 1,
    name: 'pbi',
    needs: { gradients: 'none', losses: 'now' },
    init: () => null,
    integrate({ objectives, losses }, state) {
      const preferred = preferencesOf(objectives, preference, 1);
      const length = Math.hypot(...preferred);
      if (length === 0) {
        return { weights: new Float64Array(objectives.length), state, note: 'degenerate' };
      }
      const ray = preferred.map((value) => value / length);
      const perfect = preferencesOf(objectives, reference, 0);
      const from = losses.map((loss, k) => loss - perfect[k]!);
      const along = from.reduce((sum, value, k) => sum + value * ray[k]!, 0);
      const aside = from.map((value, k) => value - along * ray[k]!);
      const distance = Math.hypot(...aside);
      if (distance <= objectives.length * 2 ** -50 * Math.hypot(...from)) {
        return { weights: ray, state };
      }
      return { weights: ray.map((value, k) => value + (theta * aside[k]!) / distance), state };
    },
  };
}
