import { type GradientStrategy, resolveOptions } from '@multigrad/core/strategy';
import {
  learnedWeights,
  type LearnedWeightsOptions,
  learnedWeightsOptions,
  type TrainedNumbers,
} from './learned-weights.ts';

/**
 * IMTL-L: trained weights that bring all weighted losses to one size.
 *
 * Minimises `Σ_k e^(s_k) L_k − s_k` over the parameters and over s, from s = 0: `w_k = e^(s_k)`, and s_k descends along
 * `e^(s_k) L_k − 1`, with plain gradient descent. At rest `w_k L_k = 1`. s stays within ± 60. An absent objective keeps
 * its s, and a new one begins at 0.
 *
 * @throws MultigradError `invalid-option` for options that do not fit
 *
 * @example
 * ```ts
 * import { integrateMatrix } from '@multigrad/core/strategy';
 * import { imtlL } from '@multigrad/scalarization';
 *
 * const { weights } = integrateMatrix(imtlL(), [[1], [2]], { losses: [1, 3] });
 * console.log(weights); // 1, 1: at first
 * ```
 *
 * @see L. Liu et al., "Towards Impartial Multi-task Learning", ICLR 2021, section 3.2.
 * https://openreview.net/forum?id=IMPnRXEWpvr
 */
export function imtlL(options: LearnedWeightsOptions = {}): GradientStrategy<TrainedNumbers> {
  const { learningRate } = resolveOptions<LearnedWeightsOptions>(
    'imtl-l',
    learnedWeightsOptions,
    options,
  );
  return learnedWeights('imtl-l', 0, learningRate, Math.exp, (s, loss) => Math.exp(s) * loss - 1);
}
