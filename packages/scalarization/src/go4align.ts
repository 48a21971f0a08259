import { type GradientStrategy, type OptionsOf, resolveOptions } from '@multigrad/core/strategy';
import { meansOfGroups } from './k-means.ts';
import { assertPositive, softmax, valuesOf, withValues } from './losses.ts';

/** Descriptions of the options of {@link go4align}. */
export const go4alignOptions = {
  /** Number of groups of objectives, an integer >= 1; with K or more each objective is its own. @defaultValue 2 */
  groups: {
    kind: 'number',
    default: 2,
    integer: true,
    minimum: 1,
    description:
      'Number of groups whose objectives share a weight, 1 or more: 1 weighs all alike, as many as there are objectives none.',
  },
  /** Step size η of the indicators, >= 0. @defaultValue 0.0001 */
  stepSize: {
    kind: 'number',
    default: 0.0001,
    minimum: 0,
    description:
      'How fast the indicators follow the losses, 0 or more: 0 weighs by the losses of the step alone.',
  },
} as const;

/** Options of {@link go4align}. */
export interface Go4alignOptions extends OptionsOf<typeof go4alignOptions> {}

/** State of {@link go4align}: the logarithm of each objective's indicator λ, by name; 0 at first. */
export type Go4alignState = Readonly<Record<string, number>>;

/**
 * GO4Align, group optimization for multi-task alignment: losses are brought to one scale, weighed by indicators that
 * remember the losses so far, and objectives of similar weight form groups that share one.
 *
 * `λ_k ← λ_k e^(−η L_k)`, scaled to the sum 1, from 1/K; `r_k = λ_k Σ_j L_j / L_k`. The `r_k` are partitioned into groups by
 * K-means, and `w_k` is the mean of r over the group of k. With one objective `w_1 = 1`. Losses must be > 0.
 *
 * An objective that is absent keeps its λ; those present share what they had.
 *
 * @remarks
 * Equations of the official code, whose λ falls with a greater loss. Its K-means starts at random and may end in a local
 * optimum; here the partition is the best one, found exactly. The official command's default is one group, with which all
 * objectives have the mean of r.
 *
 * @throws MultigradError `invalid-option` for options that do not fit; `integrate` throws `invalid-objective` for a loss
 *   <= 0
 *
 * @example
 * ```ts
 * import { integrateMatrix } from '@multigrad/core/strategy';
 * import { go4align } from '@multigrad/scalarization';
 *
 * const { weights } = integrateMatrix(go4align({ stepSize: 0 }), [[1], [1], [1]], { losses: [1, 1, 4] });
 * console.log(weights); // Float64Array(3) [ 2, 2, 0.5 ]
 * ```
 *
 * @see J. Shen, C. Wang, Z. Xiao, N. Van Noord, M. Worring, "GO4Align: Group Optimization for Multi-Task Alignment",
 * NeurIPS 2024. https://arxiv.org/abs/2404.06486
 */
export function go4align(options: Go4alignOptions = {}): GradientStrategy<Go4alignState> {
  const { groups, stepSize } = resolveOptions<Go4alignOptions>(
    'go4align',
    go4alignOptions,
    options,
  );
  return {
    specification: 1,
    name: 'go4align',
    needs: { gradients: 'none', losses: 'now' },
    init: () => ({}),
    integrate({ objectives, losses }, state) {
      assertPositive(losses, objectives, 'go4align', 'divides by it');
      const before = valuesOf(state, objectives, 0);
      const fallen = before.map((logarithm, k) => logarithm - stepSize * losses[k]!);
      const indicators = softmax(fallen);
      const total = losses.reduce((sum, loss) => sum + loss, 0);
      const relative = indicators.map((indicator, k) => indicator * (total / losses[k]!));
      // Those present have together what they had, so that nobody who is absent gains or loses.
      const shift = logOfSum(before) - logOfSum(fallen);
      return {
        weights: meansOfGroups(relative, groups),
        state: withValues(
          state,
          objectives,
          fallen.map((logarithm) => logarithm + shift),
        ),
      };
    },
  };
}

/** `log Σ e^x`, without overflow. */
function logOfSum(x: Float64Array): number {
  const greatest = x.reduce((most, value) => Math.max(most, value));
  return greatest + Math.log(x.reduce((sum, value) => sum + Math.exp(value - greatest), 0));
}
