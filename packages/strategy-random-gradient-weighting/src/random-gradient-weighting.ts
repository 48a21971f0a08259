import {
  type GradientStrategy,
  type OptionsOf,
  type RandomState,
  randomState,
  resolveOptions,
  resumeRandom,
} from '@multigrad/core/strategy';

/** Descriptions of the options of {@link randomGradientWeighting}. */
export const randomGradientWeightingOptions = {
  /**
   * Seed of the weights, any integer that a double holds exactly.
   *
   * @defaultValue 0
   */
  seed: {
    kind: 'number',
    default: 0,
    integer: true,
    description: 'Seed of the weights, any integer.',
  },
} as const;

/** Options of {@link randomGradientWeighting}. */
export interface RandomGradientWeightingOptions extends OptionsOf<
  typeof randomGradientWeightingOptions
> {}

/**
 * RGW, random gradient weighting: weights that are drawn anew at every step, whatever the gradients.
 *
 * `w = softmax(z)` with K independent standard normal numbers z. The weights are positive and sum to 1, with the mean
 * 1/K: on average the update is the mean of the gradients. It is a baseline: a strategy that looks at gradients should
 * do better. The weights are known before the backward pass, so one backward pass is enough.
 *
 * One objective keeps its plain gradient. An objective that is absent at a step draws no number. Multiplying all
 * gradients by a factor multiplies the update by it; zero gradients have weights like any other.
 *
 * @remarks
 * The paper allows other distributions and normalisations; this is the one of its experiments. One draw serves all
 * parameters of a network. The weights come from a generator in the state, seeded by `seed` and the group's key, so
 * that a resumed run repeats what an uninterrupted one does.
 *
 * @throws MultigradError `invalid-option` for options that do not fit
 *
 * @example
 * ```ts
 * import { integrateMatrix } from '@multigrad/core/strategy';
 * import { randomGradientWeighting } from '@multigrad/strategy-random-gradient-weighting';
 *
 * const { weights } = integrateMatrix(randomGradientWeighting({ seed: 1 }), [
 *   [-4, 1, 1],
 *   [6, 1, 1],
 * ]);
 * console.log(Number((weights[0]! + weights[1]!).toFixed(4))); // 1
 * ```
 *
 * @see B. Lin, F. Ye, Y. Zhang, I. W. Tsang, "Reasonable Effectiveness of Random Weighting: A Litmus Test for
 * Multi-Task Learning", TMLR 2022, section 3. https://arxiv.org/abs/2111.10603
 */
export function randomGradientWeighting(
  options: RandomGradientWeightingOptions = {},
): GradientStrategy<RandomState> {
  const name = 'random-gradient-weighting';
  const { seed } = resolveOptions<RandomGradientWeightingOptions>(
    name,
    randomGradientWeightingOptions,
    options,
  );
  return {
    specification: 1,
    name,
    needs: { gradients: 'none' },
    init: ({ key, stream = key }) => randomState(seed, name, stream),
    integrate({ objectives }, state) {
      const random = resumeRandom(state);
      // Normal numbers stay within ± 9: no exponential overflows or vanishes.
      const powers = Float64Array.from(objectives, () => Math.exp(random.normal()));
      const total = powers.reduce((sum, power) => sum + power, 0);
      return { weights: powers.map((power) => power / total), state: random.state() };
    },
  };
}
