import {
  balancedWeights,
  type GradientStrategy,
  type OptionsOf,
  resolveOptions,
} from '@multigrad/core/strategy';

/** Descriptions of the options of {@link fairgrad}. */
export const fairgradOptions = {
  /**
   * α of the fairness, 0.1 … 100: 1 is proportional fairness, larger values favour the objectives that gain least.
   *
   * @defaultValue 1
   */
  alpha: {
    kind: 'number',
    default: 1,
    minimum: 0.1,
    maximum: 100,
    description:
      'Degree of the fairness, 0.1 to 100: 1 is proportional; larger values favour the objectives that gain least.',
  },
} as const;

/** Options of {@link fairgrad}. */
export interface FairgradOptions extends OptionsOf<typeof fairgradOptions> {}

/**
 * FairGrad: the update whose gains for the objectives, `⟨u, g_k⟩`, are α-fair.
 *
 * The weights are the positive solution of `(G w)_k = w_k^(−1/α)`, found by Newton's method to machine precision. Every
 * objective falls: `⟨u, g_k⟩ > 0`. With α = 1 the direction is that of Nash-MTL. Multiplying all gradients by s
 * multiplies the update by `s^((1 − α)/(1 + α))`: with α = 1 its length is √K whatever the gradients, so the learning
 * rate alone sets the step. One objective has the weight `|g|^(−2α/(1+α))`.
 *
 * There is no solution exactly where the gradients are Pareto stationary (a combination with weights >= 0 is zero
 * within the Gramian's error), a zero gradient among them: all weights are 0 and the note is `stationary`.
 *
 * The solution is checked: `|⟨u, g_k⟩ − w_k^(−1/α)| <= (2⁻³⁶ + relativeError) Σ_j |G_kj| w_j` for every k. The check
 * can fail where lengths are a hundred powers of ten apart and α is far from 1; then all weights are 0 and the note is
 * `unsolved`. Where α is large a weight may be less than float64 can hold; then it is 0.
 *
 * @remarks
 * The official code runs a least-squares solver on the residual of these equations, from uniform weights; then it
 * multiplies the update by K and clips it to the length 1. α below 0.1 is refused here: gains of `w^(−1/α)` are then
 * less than rounding, and the update is that of the dual cone.
 *
 * @throws MultigradError `invalid-option` for options that do not fit; `integrate` throws `non-finite` where a weight
 *   is beyond float64
 *
 * @example
 * ```ts
 * import { integrateMatrix } from '@multigrad/core/strategy';
 * import { fairgrad } from '@multigrad/strategy-fairgrad';
 *
 * const { update } = integrateMatrix(fairgrad(), [[0, 5], [0.1, 0]]);
 * console.log(update.map((value) => Number(value.toFixed(4)))); // Float64Array(2) [ 1, 1 ]
 * ```
 *
 * @see H. Ban, K. Ji, "Fair Resource Allocation in Multi-Task Learning", ICML 2024, equation 5.
 * https://arxiv.org/abs/2402.15638
 */
export function fairgrad(options: FairgradOptions = {}): GradientStrategy<null> {
  const { alpha } = resolveOptions<FairgradOptions>('fairgrad', fairgradOptions, options);
  return {
    specification: 1,
    name: 'fairgrad',
    needs: { gradients: 'gramian' },
    init: () => null,
    integrate({ gramian }, state) {
      return { ...balancedWeights(gramian, alpha), state };
    },
  };
}
