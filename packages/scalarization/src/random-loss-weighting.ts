import {
  type GradientStrategy,
  type OptionsOf,
  type RandomState,
  randomState,
  resolveOptions,
  resumeRandom,
} from '@multigrad/core/strategy';
import { softmax } from './losses.ts';

/** Descriptions of the options of {@link randomLossWeighting}. */
export const randomLossWeightingOptions = {
  /** Seed of the weights, any integer that a double holds exactly. @defaultValue 0 */
  seed: {
    kind: 'number',
    default: 0,
    integer: true,
    description: 'Seed of the weights, any integer.',
  },
} as const;

/** Options of {@link randomLossWeighting}. */
export interface RandomLossWeightingOptions extends OptionsOf<typeof randomLossWeightingOptions> {}

/**
 * RLW, random loss weighting: `w = K softmax(z)` with independent standard normal numbers z, drawn anew at each step.
 *
 * The weights sum to K: on average the update is the sum. One objective keeps its plain gradient. The generator is in
 * the state.
 *
 * @throws MultigradError `invalid-option` for options that do not fit
 *
 * @example
 * ```ts
 * import { integrateMatrix } from '@multigrad/core/strategy';
 * import { randomLossWeighting } from '@multigrad/scalarization';
 *
 * const { weights } = integrateMatrix(randomLossWeighting({ seed: 1 }), [[1], [2]]);
 * console.log(Number((weights[0]! + weights[1]!).toFixed(9))); // 2
 * ```
 *
 * @see B. Lin, F. Ye, Y. Zhang, I. W. Tsang, "Reasonable Effectiveness of Random Weighting: A Litmus Test for
 * Multi-Task Learning", TMLR 2022, section 3. https://arxiv.org/abs/2111.10603
 */
export function randomLossWeighting(
  options: RandomLossWeightingOptions = {},
): GradientStrategy<RandomState> {
  const name = 'random-loss-weighting';
  const { seed } = resolveOptions<RandomLossWeightingOptions>(
    name,
    randomLossWeightingOptions,
    options,
  );
  return {
    specification: 1,
    name,
    needs: { gradients: 'none' },
    init: ({ key, stream = key }) => randomState(seed, name, stream),
    integrate({ objectives }, state) {
      const random = resumeRandom(state);
      const shares = softmax(Float64Array.from(objectives, () => random.normal()));
      return { weights: shares.map((share) => share * objectives.length), state: random.state() };
    },
  };
}
