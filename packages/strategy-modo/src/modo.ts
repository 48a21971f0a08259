import {
  type GradientStrategy,
  MultigradError,
  type OptionsOf,
  own,
  projectOntoSimplex,
  resolveOptions,
} from '@multigrad/core/strategy';

/** State of {@link modo}: the weights, by objective. */
export type ModoState = Readonly<Record<string, number>>;

/** Descriptions of the options of {@link modo}. */
export const modoOptions = {
  /** Step size of the weights, above 0 up to 1e6. @defaultValue 0.001 */
  gamma: {
    kind: 'number',
    default: 0.001,
    exclusiveMinimum: 0,
    maximum: 1e6,
    description: 'Step size of the weights, above 0 up to 1e6: the larger, the faster they change.',
  },
  /** Regularisation of the weights, 0 … 1e6: the larger, the closer they stay to each other. @defaultValue 0.1 */
  rho: {
    kind: 'number',
    default: 0.1,
    minimum: 0,
    maximum: 1e6,
    description:
      'Regularisation of the weights, 0 to 1e6: the larger, the closer they stay to each other.',
  },
} as const;

/** Options of {@link modo}. */
export interface ModoOptions extends OptionsOf<typeof modoOptions> {}

/**
 * MoDo, multi-objective gradient with double sampling: MGDA's weights, followed step by step with unbiased estimates
 * from independent batches.
 *
 * `λ ← P(λ − γ (J_1 J_2ᵀ λ + ρ λ))` with the projection P onto the simplex, from `λ = 1/K`; the update is `J_3ᵀ λ`. J_1,
 * J_2, J_3 are gradients of three independent batches at the same parameters. The update has the size of one gradient,
 * and may conflict with an objective. One objective keeps its plain gradient, of the third batch.
 *
 * The step size is not relative to the gradients: with gradients a thousand times larger λ moves a million times
 * further. At a fixed λ multiplying gradients by a factor multiplies the update by it. An absent objective keeps its λ;
 * those present are projected onto their own simplex, and a new objective begins with 1/K.
 *
 * @throws MultigradError `invalid-option` for options that do not fit; `integrate` throws `invalid-argument` where
 *   gradients are so large that λ is not finite
 *
 * @example
 * ```ts
 * import { integrateMatrix } from '@multigrad/core/strategy';
 * import { modo } from '@multigrad/strategy-modo';
 *
 * const jacobian = [[1, 0], [0, 2]];
 * const batches = [jacobian, jacobian];
 * const { update } = integrateMatrix(modo({ gamma: 0.1, rho: 0 }), jacobian, { batches });
 * console.log(update.map((value) => Number(value.toFixed(4)))); // Float64Array(2) [ 0.575, 0.85 ]
 * ```
 *
 * @see L. Chen, H. Fernando, Y. Ying, T. Chen, "Three-Way Trade-Off in Multi-Objective Learning: Optimization,
 * Generalization and Conflict-Avoidance", NeurIPS 2023, Algorithm 1. https://arxiv.org/abs/2305.20057
 */
export function modo(options: ModoOptions = {}): GradientStrategy<ModoState> {
  const { gamma, rho } = resolveOptions<ModoOptions>('modo', modoOptions, options);
  return {
    specification: 1,
    name: 'modo',
    needs: { gradients: 'gramian', batches: 3 },
    init: () => ({}),
    integrate({ objectives, stacked }, state) {
      const size = objectives.length;
      const lambda = Float64Array.from(objectives, (name) => own(state, name) ?? 1 / size);
      const moved = lambda.map((weight, i) => {
        let slope = rho * weight;
        for (let j = 0; j < size; j += 1) {
          slope += stacked.values[i * stacked.size + size + j]! * lambda[j]!;
        }
        return weight - gamma * slope;
      });
      const beyond = moved.findIndex((value) => !Number.isFinite(value));
      if (beyond >= 0) {
        throw new MultigradError(
          'non-finite',
          `The weight of \`${objectives[beyond]!}\` that \`modo\` steps to should be representable in float64. ` +
            `Found ${moved[beyond]!}; scale the gradients.`,
        );
      }
      const next = projectOntoSimplex(moved);
      const none = new Float64Array(size);
      return {
        weights: none,
        batchWeights: [none, next],
        state: { ...state, ...Object.fromEntries(objectives.map((name, k) => [name, next[k]!])) },
      };
    },
  };
}
