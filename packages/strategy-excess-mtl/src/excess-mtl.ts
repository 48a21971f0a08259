import {
  type GradientStrategy,
  innerProduct,
  type OptionsOf,
  own,
  resolveOptions,
} from '@multigrad/core/strategy';

/** Descriptions of the options of {@link excessMtl}. */
export const excessMtlOptions = {
  /** Step size η of the weights, >= 0; 0 keeps them equal. @defaultValue 0.01 */
  stepSize: {
    kind: 'number',
    default: 0.01,
    minimum: 0,
    description:
      'How fast the weights follow the excess risks, 0 or more: 0 keeps them equal; the larger, the more an objective far from convergence weighs.',
  },
} as const;

/** Options of {@link excessMtl}. */
export interface ExcessMtlOptions extends OptionsOf<typeof excessMtlOptions> {}

type Numbers = Readonly<Record<string, number>>;

/** State of {@link excessMtl} beside its memory, by objective: the logarithm of its weight, and its first excess risk. */
export type ExcessMtlState = { readonly logarithms: Numbers; readonly first: Numbers };

/**
 * ExcessMTL, multi-task learning with excess risks: an objective weighs more the farther it is from convergence, not the
 * larger its loss is, so that noisy labels, whose loss never falls, don't take over.
 *
 * The excess risk is estimated by `e_k = Σ g_k² / √S_k` over all coordinates, with `S_k` the sum of the squares of this and all
 * earlier gradients: a second-order Taylor expansion with a diagonal Hessian as AdaGrad has it. Weights are 1 at the first
 * step; then `w_k ← w_k exp(η e_k / e_k⁰)`, scaled to the sum K, where `e_k⁰` is the estimate at the first step. The update
 * is `Σ w_k g_k` and may conflict with any objective. One objective keeps its plain gradient.
 *
 * Multiplying the gradients of one objective by the same factor at every step leaves the weights as they are. An objective
 * whose gradients were zero so far keeps its weight, and so does one that is absent; those present share what they had.
 *
 * @remarks
 * The engine keeps the square root of S (`needs.memory: 'squares'`); one read-back suffices. The official code adds 10⁻⁷ to
 * S, which makes weights depend on the scale of gradients; here a coordinate whose gradients were all zero counts as 0. Its
 * weights scale the heads too, as with `singles: 'weighted'`.
 *
 * @throws MultigradError `invalid-option` for options that do not fit
 *
 * @example
 * ```ts
 * import { integrateMatrix } from '@multigrad/core/strategy';
 * import { excessMtl } from '@multigrad/strategy-excess-mtl';
 *
 * const strategy = excessMtl({ stepSize: 1 });
 * const first = integrateMatrix(strategy, [[3, 0], [0, 8]]);
 * const { state, memory } = first;
 * // The gradient of the second objective has shrunk to an eighth.
 * const { weights } = integrateMatrix(strategy, [[3, 0], [0, 1]], { state, memory: memory! });
 * console.log(weights.map((weight) => Number(weight.toFixed(3)))); // Float64Array(2) [ 1.333, 0.667 ]
 * ```
 *
 * @see Y. He, S. Zhou, G. Zhang, H. Yun, Y. Xu, B. Zeng, T. Chilimbi, H. Zhao, "Robust Multi-Task Learning with Excess
 * Risks", ICML 2024, Algorithm 1. https://arxiv.org/abs/2402.02009
 */
export function excessMtl(options: ExcessMtlOptions = {}): GradientStrategy<ExcessMtlState> {
  const { stepSize } = resolveOptions<ExcessMtlOptions>('excess-mtl', excessMtlOptions, options);
  return {
    specification: 1,
    name: 'excess-mtl',
    needs: { gradients: 'gramian', memory: 'squares' },
    init: () => ({ logarithms: {}, first: {} }),
    integrate({ objectives, stacked }, { logarithms, first }) {
      const size = objectives.length;
      const before = Float64Array.from(objectives, (name) => own(logarithms, name) ?? 0);
      const found: [string, number][] = [];
      const moved = before.map((logarithm, k) => {
        const risk = innerProduct(stacked, size + k, size + k);
        const start = own(first, objectives[k]!);
        if (start !== undefined) return logarithm + stepSize * (risk / start);
        if (risk > 0) found.push([objectives[k]!, risk]);
        return logarithm;
      });
      // Those present have together what they had, so that nobody who is absent gains or loses.
      const shift = logOfSum(before) - logOfSum(moved);
      const total = logOfSum(moved);
      return {
        weights: moved.map((logarithm) => size * Math.exp(logarithm - total)),
        state: {
          logarithms: {
            ...logarithms,
            ...Object.fromEntries(objectives.map((name, k) => [name, moved[k]! + shift])),
          },
          first: { ...first, ...Object.fromEntries(found) },
        },
      };
    },
  };
}

/** `log Σ e^x`, without overflow. */
function logOfSum(x: Float64Array): number {
  const greatest = Math.max(...x);
  return greatest + Math.log(x.reduce((sum, value) => sum + Math.exp(value - greatest), 0));
}
