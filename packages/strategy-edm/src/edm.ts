import {
  dividedGramian,
  type GradientStrategy,
  minNormPoint,
  norms,
  resolveOptions,
} from '@multigrad/core/strategy';

/**
 * EDM, the equiangular direction method: the direction of the shortest convex combination of the unit gradients.
 *
 * `w_k = (a_k / |g_k|) / Σ_j a_j / |g_j|` with `a = argmin |Σ_k a_k g_k / |g_k||²` over `a_k >= 0, Σ_k a_k = 1`. The
 * update has one angle with all gradients of positive weight, and a smaller one with the others; of all directions it
 * is the one whose largest angle with a gradient is smallest. Two objectives: the bisector, `w_1 = |g_2| / (|g_1| +
 * |g_2|)`. Scaling a gradient changes the length of the update, never its direction. The weights sum to 1: the update
 * has the size of one gradient. One objective keeps its plain gradient. Multiplying all gradients by a factor
 * multiplies the update by it.
 *
 * The update is a common descent direction: `⟨u, g_k⟩ >= −ε |u| |g_k|` for every k, where ε is the square root of the
 * Gramian's relative error, which counts as K · 2⁻⁵⁰ where it is stated smaller.
 *
 * Where the shortest combination is zero within the Gramian's error no common descent direction exists: the group is
 * Pareto stationary, all weights are 0 and the note is `stationary`. A gradient that is exactly zero has no direction;
 * nothing decreases its objective, so the group is stationary then too.
 *
 * @remarks
 * The combination is found exactly, in closed form for two objectives and by an active set for more. Where gradients
 * depend on each other several weights give the same direction, and which of them is taken decides the length.
 *
 * @throws MultigradError `invalid-option` for options: it has none
 *
 * @example
 * ```ts
 * import { integrateMatrix } from '@multigrad/core/strategy';
 * import { edm } from '@multigrad/strategy-edm';
 *
 * const { weights } = integrateMatrix(edm(), [
 *   [-4, 1, 1],
 *   [6, 1, 1],
 * ]);
 * console.log(weights.map((weight) => Number(weight.toFixed(4)))); // Float64Array(2) [ 0.5923, 0.4077 ]
 * ```
 *
 * @see A. Katrutsa, D. Merkulov, N. Tursynbek, I. Oseledets, "Follow the bisector: a simple method for multi-objective
 * optimization", 2020. https://arxiv.org/abs/2007.06937
 */
export function edm(options: object = {}): GradientStrategy<null> {
  resolveOptions<object>('edm', {}, options);
  return {
    specification: 1,
    name: 'edm',
    needs: { gradients: 'gramian' },
    init: () => null,
    integrate({ gramian }, state) {
      // A zero gradient is divided by 1, not by its length 0, and stays zero.
      const lengths = norms(gramian).map((length) => length || 1);
      const point = minNormPoint(dividedGramian(gramian, lengths));
      if (point.stationary) {
        return { weights: new Float64Array(gramian.size), state, note: 'stationary' };
      }
      // Multiply by the shortest length, so that no quotient overflows.
      const shortest = lengths.reduce((least, length) => Math.min(least, length));
      const scaled = point.weights.map((weight, k) => weight * (shortest / lengths[k]!));
      const total = scaled.reduce((sum, value) => sum + value, 0);
      return { weights: scaled.map((value) => value / total), state };
    },
  };
}
