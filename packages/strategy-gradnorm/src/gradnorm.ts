import {
  type GradientStrategy,
  MultigradError,
  norms,
  type OptionsOf,
  own,
  resolveOptions,
  roundingError,
} from '@multigrad/core/strategy';

/** State of {@link gradnorm}: the weight and the first loss of each objective. */
export type GradnormState = Readonly<
  Record<string, { readonly weight: number; readonly first: number }>
>;

/** Descriptions of the options of {@link gradnorm}. */
export const gradnormOptions = {
  /**
   * α, how much longer the weighted gradients of objectives that train slowly become, >= 0; 0 makes all equally long.
   *
   * @defaultValue 1.5
   */
  alpha: {
    kind: 'number',
    default: 1.5,
    minimum: 0,
    description:
      'How much longer the weighted gradients of objectives that train slowly become, 0 or more; 0 makes all equally long.',
  },
  /**
   * Step size of the weights, relative to the mean length of the gradients, > 0.
   *
   * @defaultValue 0.025
   */
  learningRate: {
    kind: 'number',
    default: 0.025,
    exclusiveMinimum: 0,
    description:
      'Step size of the weights, relative to the mean length of the gradients, above 0: the larger, the faster they change.',
  },
} as const;

/** Options of {@link gradnorm}. */
export interface GradnormOptions extends OptionsOf<typeof gradnormOptions> {}

/** Smallest weight: a weight of zero would never rise again. */
const floor = 1e-6;

/**
 * GradNorm: trained weights that bring the lengths of the weighted gradients in line with how fast their objectives
 * train.
 *
 * `G_k = c_k |g_k|`, `r_k = (L_k / L_k(0)) / mean_j(L_j / L_j(0))`, target `T_k = mean_j(G_j) r_k^α` held fixed; then
 * `c_k ← c_k − η sign(G_k − T_k) |g_k| / mean_j |g_j|`, a step down `Σ_k |G_k − T_k|`, and c is scaled to sum K. The update
 * of a step is `Σ_k c_k g_k` with the c before that step, 1 each at first, in the order of the paper's algorithm. It has
 * the size of K gradients, may conflict with an objective, and multiplying all gradients by a factor multiplies it by
 * that. One objective keeps its plain gradient.
 *
 * A zero gradient does not change its c, except by the scaling; if all gradients are zero no c changes. An absent
 * objective keeps its c. The objectives present share the sum K; a new objective begins with the weight 1 and takes its
 * loss at that step as its first. Losses must be > 0.
 *
 * @remarks
 * The paper takes the lengths at the last shared layer; here they are those of the whole group: choose another grouping
 * for a layer. It steps c with the network's optimizer and learning rate, whose meaning changes with the gradients' size;
 * here the step is relative to their mean length, so that weights do not change when J is scaled. Weights do not fall below
 * 10⁻⁶.
 *
 * @throws MultigradError `invalid-option` for options that do not fit; `integrate` throws `invalid-objective` for a loss
 *   <= 0
 *
 * @example
 * ```ts
 * import { integrateMatrix } from '@multigrad/core/strategy';
 * import { gradnorm } from '@multigrad/strategy-gradnorm';
 *
 * const strategy = gradnorm({ alpha: 0, learningRate: 0.1 });
 * const jacobian = [[3, 0], [0, 1]];
 * const first = integrateMatrix(strategy, jacobian, { losses: [1, 1] });
 * const next = integrateMatrix(strategy, jacobian, { losses: [1, 1], state: first.state });
 * console.log(first.weights, next.weights[0]! < 1, next.weights[1]! > 1); // 1, 1 and true true
 * ```
 *
 * @see Z. Chen, V. Badrinarayanan, C.-Y. Lee, A. Rabinovich, "GradNorm: Gradient Normalization for Adaptive Loss
 * Balancing in Deep Multitask Networks", ICML 2018, Algorithm 1. https://arxiv.org/abs/1711.02257
 */
export function gradnorm(options: GradnormOptions = {}): GradientStrategy<GradnormState> {
  const { alpha, learningRate } = resolveOptions<GradnormOptions>(
    'gradnorm',
    gradnormOptions,
    options,
  );
  return {
    specification: 1,
    name: 'gradnorm',
    needs: { gradients: 'gramian', losses: 'now' },
    init: () => ({}),
    integrate({ objectives, gramian, losses }, state) {
      const known = objectives.map((name, k) => {
        const loss = losses[k]!;
        if (!(loss > 0)) {
          throw new MultigradError(
            'invalid-objective',
            `The loss of objective \`${name}\` should be > 0, because \`gradnorm\` divides by it. Found ${loss}.`,
          );
        }
        return own(state, name) ?? { weight: 1, first: loss };
      });
      const weights = toSum(Float64Array.from(known, ({ weight }) => weight));
      const rates = known.map(({ first }, k) => losses[k]! / first);
      const moved = stepped(
        weights,
        norms(gramian),
        rates,
        alpha,
        learningRate,
        roundingError(gramian),
      );
      return {
        weights,
        state: {
          ...state,
          ...Object.fromEntries(
            objectives.map((name, k) => [name, { weight: moved[k]!, first: known[k]!.first }]),
          ),
        },
      };
    },
  };
}

/** The weights after a step down `Σ |G_k − T_k|`. */
function stepped(
  weights: Float64Array,
  lengths: Float64Array,
  rates: readonly number[],
  alpha: number,
  learningRate: number,
  error: number,
): Float64Array {
  const size = weights.length;
  const longest = lengths.reduce((most, length) => Math.max(most, length), 0);
  if (longest === 0) return weights;
  const relative = lengths.map((length) => length / longest);
  const meanLength = relative.reduce((sum, length) => sum + length / size, 0);
  const meanRate = rates.reduce((sum, rate) => sum + rate / size, 0);
  const meanWeighted = weights.reduce((sum, weight, k) => sum + (weight * relative[k]!) / size, 0);
  return toSum(
    weights.map((weight, k) => {
      const target = meanWeighted * (rates[k]! / meanRate) ** alpha;
      const gap = weight * relative[k]! - target;
      // A weighted length that is on target within rounding does not move its weight.
      const side = Math.abs(gap) <= error * target ? 0 : Math.sign(gap);
      return Math.max(floor, weight - (learningRate * side * relative[k]!) / meanLength);
    }),
  );
}

/** Scales the weights to the sum K. */
function toSum(weights: Float64Array): Float64Array {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => (weight * weights.length) / total);
}
