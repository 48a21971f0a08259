import type { GradientStrategy } from '@multigrad/core/strategy';
import { resolveOptions } from '@multigrad/core/strategy';
import { assertPositive } from './losses.ts';

/**
 * GLS, the geometric mean of the losses: `(Π_k L_k)^(1/K)`, whose weights are `w_k = value / (K L_k)`.
 *
 * The weighted losses are all equal. One objective keeps its plain gradient. Losses must be > 0.
 *
 * @throws MultigradError `integrate` throws `invalid-objective` for a loss <= 0
 *
 * @example
 * ```ts
 * import { integrateMatrix } from '@multigrad/core/strategy';
 * import { gls } from '@multigrad/scalarization';
 *
 * const { weights } = integrateMatrix(gls(), [[1], [2]], { losses: [1, 4] });
 * console.log(weights.map((weight) => Number(weight.toFixed(9)))); // Float64Array(2) [ 1, 0.25 ]
 * ```
 *
 * @see S. Chennupati et al., "MultiNet++: Multi-Stream Feature Aggregation and Geometric Loss Strategy for Multi-Task
 * Learning", CVPR Workshops 2019, equation 2. https://arxiv.org/abs/1904.08492
 */
export function gls(options: object = {}): GradientStrategy<null> {
  resolveOptions('gls', {}, options);
  return {
    specification: 1,
    name: 'gls',
    needs: { gradients: 'none', losses: 'now' },
    init: () => null,
    integrate({ objectives, losses }, state) {
      assertPositive(losses, objectives, 'gls', 'takes its logarithm');
      const size = losses.length;
      const mean = losses.reduce((sum, loss) => sum + Math.log(loss) / size, 0);
      // In logarithms: neither the product nor the ratio of value and loss over- or underflows on the way.
      return { weights: losses.map((loss) => Math.exp(mean - Math.log(loss)) / size), state };
    },
  };
}
