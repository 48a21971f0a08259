import {
  type GradientStrategy,
  type OptionsOf,
  rayOf,
  rayOption,
  resolveOptions,
} from '@multigrad/core/strategy';
import { drawToRay } from './draw-to-ray.ts';

/** Descriptions of the options of {@link ferero}. */
export const fereroOptions = {
  /**
   * Direction of the ray that the losses are brought to, by objective name, finite and > 0: the greater, the greater the
   * loss may stay. Objectives that are not named have 1.
   *
   * @defaultValue null
   */
  // eslint-disable-next-line @typescript-eslint/no-unnecessary-type-assertion -- isolated declarations take no other type.
  preference: rayOption as typeof rayOption,
  /**
   * c_h: a step of the learning rate η takes away the share `η c_h` of the distance from the ray, to first order; >= 0.
   *
   * @defaultValue 1
   */
  pull: {
    kind: 'number',
    default: 1,
    minimum: 0,
    description:
      'How strongly the losses are drawn to the ray, 0 or more: a step takes away this times the learning rate, as a share of the distance.',
  },
  /** Whether the weights are divided by the sum of their magnitudes. @defaultValue true */
  normalize: {
    kind: 'boolean',
    default: true,
    description:
      'Whether the weights are divided by the sum of their magnitudes, so that the update has the size of one gradient.',
  },
} as const;

/** Options of {@link ferero}. */
export interface FereroOptions extends OptionsOf<typeof fereroOptions> {}

/**
 * FERERO, flexible preference-guided multi-objective learning, for preferences that are a ray: the steepest common
 * descent among the directions that bring the losses to the ray at a given rate.
 *
 * `u = Jᵀ (λ + Bᵀ ν)` with `(λ, ν) = argmin ½ |Jᵀ (λ + Bᵀ ν)|² − c_h νᵀ B L` over the simplex for λ and all ν; the rows
 * of B are an orthonormal basis of the vectors at right angles to the ray p, so `B L = 0` on it. The update brings the
 * losses nearer at the rate c_h: `B J u = c_h B L`. Of these directions −u is the one that makes the greatest
 * `⟨g_k, d⟩ + |d|² / 2` least. A weight may be negative: an objective that is ahead of the ray may rise. On the ray the
 * losses fall together along it.
 *
 * With `normalize` the weights are divided by the sum of their magnitudes. One objective keeps its plain gradient. Where
 * all weights are zero, no direction leads anywhere as far as the inner products tell: noted `stationary`. Where no
 * direction brings the losses nearer at that rate, because gradients depend on each other, the rate is fulfilled as nearly as
 * possible. The diagnostic `distance` is `|B L|`.
 *
 * @remarks
 * The minimum is exact: the ν that is best for each λ leaves a problem of rank 1 on the simplex, whose solution has two
 * weights at most. The official code iterates towards it, with `c_h = 1` for the small problems of the paper; its training
 * code takes one iteration a step instead, with gradients of two batches, `c_h = 0.5` and normalised weights. It has two
 * objectives; for more, B is what the paper's definition of the constraint leads to, and any basis gives the same update.
 *
 * @throws MultigradError `invalid-option` for options that do not fit
 *
 * @example
 * ```ts
 * import { integrateMatrix } from '@multigrad/core/strategy';
 * import { ferero } from '@multigrad/strategy-ferero';
 *
 * const strategy = ferero({ normalize: false });
 * const { weights } = integrateMatrix(strategy, [[1, 0], [0, 1]], { losses: [1, 2] });
 * // ⟨g_2, u⟩ − ⟨g_1, u⟩ is the difference of the losses.
 * console.log(weights.map((weight) => Number(weight.toFixed(4)))); // Float64Array(2) [ 0, 1 ]
 * ```
 *
 * @see L. Chen, A. F. M. Saif, Y. Shen, T. Chen, "FERERO: A Flexible Framework for Preference-Guided Multi-Objective
 * Learning", NeurIPS 2024. https://arxiv.org/abs/2412.01773
 */
export function ferero(options: FereroOptions = {}): GradientStrategy<null> {
  const { preference, pull, normalize } = resolveOptions<FereroOptions>(
    'ferero',
    fereroOptions,
    options,
  );
  return {
    specification: 1,
    name: 'ferero',
    needs: { gradients: 'gramian', losses: 'now' },
    init: () => null,
    integrate({ objectives, gramian, losses }, state) {
      const ray = rayOf(objectives, preference);
      const { weights, distance } = drawToRay(gramian, ray, losses, pull);
      const total = weights.reduce((sum, weight) => sum + Math.abs(weight), 0);
      const diagnostics = { distance };
      if (total === 0) return { weights, state, note: 'stationary', diagnostics };
      return {
        weights: normalize ? weights.map((weight) => weight / total) : weights,
        state,
        diagnostics,
      };
    },
  };
}
