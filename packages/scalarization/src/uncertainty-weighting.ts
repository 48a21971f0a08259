import { type GradientStrategy, resolveOptions } from '@multigrad/core/strategy';
import {
  learnedWeights,
  type LearnedWeightsOptions,
  learnedWeightsOptions,
  type TrainedNumbers,
} from './learned-weights.ts';

/**
 * Uncertainty weighting: each loss is weighed by a trained estimate of its noise.
 *
 * Minimises `Σ_k L_k e^(−s_k) / 2 + s_k / 2` over the parameters and over s, from s = −0.5: `w_k = e^(−s_k) / 2`, and
 * s_k descends along `½ − L_k e^(−s_k) / 2`, with plain gradient descent. At rest `w_k = 1 / (2 L_k)`. Losses may have
 * any sign. s stays within ± 60. An absent objective keeps its s, and a new one begins at −0.5.
 *
 * @throws MultigradError `invalid-option` for options that do not fit
 *
 * @example
 * ```ts
 * import { integrateMatrix } from '@multigrad/core/strategy';
 * import { uncertaintyWeighting } from '@multigrad/scalarization';
 *
 * const { weights } = integrateMatrix(uncertaintyWeighting(), [[1], [2]], { losses: [1, 3] });
 * console.log(weights); // 0.8244, 0.8244: e^.5 / 2 each, at first
 * ```
 *
 * @see A. Kendall, Y. Gal, R. Cipolla, "Multi-Task Learning Using Uncertainty to Weigh Losses for Scene Geometry and
 * Semantics", CVPR 2018, equation 7. https://arxiv.org/abs/1705.07115
 */
export function uncertaintyWeighting(
  options: LearnedWeightsOptions = {},
): GradientStrategy<TrainedNumbers> {
  const name = 'uncertainty-weighting';
  const { learningRate } = resolveOptions<LearnedWeightsOptions>(
    name,
    learnedWeightsOptions,
    options,
  );
  return learnedWeights(
    name,
    -0.5,
    learningRate,
    (s) => Math.exp(-s) / 2,
    (s, loss) => 0.5 - (loss * Math.exp(-s)) / 2,
  );
}
