import {
  type GradientStrategy,
  type Gramian,
  innerProduct,
  type OptionsOf,
  type RandomState,
  randomState,
  resolveOptions,
  resumeRandom,
} from '@multigrad/core/strategy';

/** Descriptions of the options of {@link pcgrad}. */
export const pcgradOptions = {
  /**
   * Seed of the random order of the projections, any integer that a double holds exactly.
   *
   * @defaultValue 0
   */
  seed: {
    kind: 'number',
    default: 0,
    integer: true,
    description:
      'Seed of the random order of the projections, any integer; two objectives need no order.',
  },
} as const;

/** Options of {@link pcgrad}. */
export interface PcgradOptions extends OptionsOf<typeof pcgradOptions> {}

/**
 * PCGrad, "projecting conflicting gradients": every gradient loses its components against the others before the sum.
 *
 * For each objective i, starting at `c = e_i`: for every other objective j in random order, `s = (G c)_j`; where
 * `s < 0`, `c_j ← c_j − s / G_jj`, which removes from `Σ_k c_k g_k` its component along `g_j`. The weights are the sum
 * of the K vectors c, so the update has the size of K gradients. `O(K³)`, whatever the number of parameters.
 *
 * With two objectives the order does not matter: `w_i = 1 + max(0, −G_12) / G_ii`, and the update conflicts with
 * neither. With three or more it may conflict: a later projection can undo an earlier one.
 *
 * A gradient that is exactly zero takes no part. One objective keeps its plain gradient. Multiplying all gradients by a
 * factor multiplies the update by it.
 *
 * @remarks
 * The paper draws the order at every step; here it comes from a generator in the state, seeded by `seed` and the
 * group's key, so that a resumed run repeats what an uninterrupted one does. Nothing is drawn for K <= 2.
 *
 * @throws MultigradError `invalid-option` for options that do not fit
 *
 * @example
 * ```ts
 * import { integrateMatrix } from '@multigrad/core/strategy';
 * import { pcgrad } from '@multigrad/strategy-pcgrad';
 *
 * const { weights } = integrateMatrix(pcgrad({ seed: 1 }), [
 *   [-4, 1, 1],
 *   [6, 1, 1],
 * ]);
 * console.log(weights.map((weight) => Number(weight.toFixed(4)))); // Float64Array(2) [ 2.2222, 1.5789 ]
 * ```
 *
 * @see T. Yu, S. Kumar, A. Gupta, S. Levine, K. Hausman, C. Finn, "Gradient Surgery for Multi-Task Learning",
 * NeurIPS 2020, Algorithm 1. https://arxiv.org/abs/2001.06782
 */
export function pcgrad(options: PcgradOptions = {}): GradientStrategy<RandomState> {
  const { seed } = resolveOptions<PcgradOptions>('pcgrad', pcgradOptions, options);
  return {
    specification: 1,
    name: 'pcgrad',
    needs: { gradients: 'gramian' },
    init: ({ key, stream = key }) => randomState(seed, 'pcgrad', stream),
    integrate({ gramian }, state) {
      // With at most one other objective there is one order: nothing is drawn.
      if (gramian.size <= 2) {
        return { weights: projectedWeights(gramian, () => [0, 1].slice(0, gramian.size)), state };
      }
      const random = resumeRandom(state);
      const weights = projectedWeights(gramian, () => random.permutation(gramian.size));
      return { weights, state: random.state() };
    },
  };
}

/** The sum of the projected gradients' coefficients; `order` is called once for each gradient. */
function projectedWeights(gramian: Gramian, order: () => Iterable<number>): Float64Array {
  const { size, values } = gramian;
  const weights = new Float64Array(size).fill(1);
  // G c, kept up to date: a change of c_j alone adds a multiple of row j.
  const products = new Float64Array(size);
  for (let i = 0; i < size; i++) {
    products.set(values.subarray(i * size, (i + 1) * size));
    for (const j of order()) {
      const product = products[j]!;
      const squaredNorm = innerProduct(gramian, j, j);
      if (j === i || product >= 0 || squaredNorm === 0) continue;
      const correction = -product / squaredNorm;
      weights[j]! += correction;
      for (let k = 0; k < size; k++) products[k]! += correction * values[j * size + k]!;
    }
  }
  return weights;
}
