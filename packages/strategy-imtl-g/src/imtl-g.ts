import {
  cosineMatrix,
  type GradientStrategy,
  type Gramian,
  minNormPoint,
  nonZero,
  norms,
  type PseudoInverse,
  pseudoInverse,
  resolveOptions,
  roundingError,
  scaledGramian,
  symmetricEigen,
} from '@multigrad/core/strategy';

/**
 * IMTL-G, the gradient part of impartial multi-task learning: an update with the same projection on every gradient.
 *
 * `w = v / Σ_k v_k` with `v = G⁺ (|g_1|, …, |g_K|)`. Where the gradients are linearly independent,
 * `⟨u, g_k⟩ / |g_k|` is the same for every k, `1 / Σ_k v_k`. The weights sum to 1, so the update has the size of one
 * gradient, and one objective keeps its plain gradient. Weights may be negative, and with three objectives or more so
 * may `Σ_k v_k`: the update then conflicts with all of them. Multiplying all gradients by a factor multiplies the
 * update by it.
 *
 * - Pareto stationary gradients (a convex combination of them is zero within the Gramian's error) have no update of
 *   equal projections but zero: all weights are 0 and the note is `stationary`.
 * - Other linearly dependent gradients get the weights of the pseudo-inverse; projections are equal in the sense of
 *   least squares only. Whether gradients are dependent is decided on their cosines, against the Gramian's error.
 * - Where `Σ_k v_k` is zero within the Gramian's error the weights are 0/0: all are 0 and the note is `degenerate`.
 * - A gradient that is exactly zero takes no part: its weight is 0. If all are, the note is `stationary`.
 *
 * @remarks
 * The paper inverts a matrix of differences of gradients, which is the same where they are independent, and leaves
 * dependent ones open. Among dependent gradients those of less than 2⁻²⁶ of the longest one's length count as zero.
 *
 * @throws MultigradError `invalid-option` for options: it has none
 *
 * @example
 * ```ts
 * import { integrateMatrix } from '@multigrad/core/strategy';
 * import { imtlG } from '@multigrad/strategy-imtl-g';
 *
 * const { weights } = integrateMatrix(imtlG(), [
 *   [-4, 1, 1],
 *   [6, 1, 1],
 * ]);
 * console.log(weights.map((weight) => Number(weight.toFixed(4)))); // Float64Array(2) [ 0.5923, 0.4077 ]
 * ```
 *
 * @see L. Liu, Y. Li, Z. Kuang, J.-H. Xue, Y. Chen, W. Yang, Q. Liao, W. Zhang, "Towards Impartial Multi-task Learning",
 * ICLR 2021, section 3.1. https://openreview.net/forum?id=IMPnRXEWpvr
 */
export function imtlG(options: object = {}): GradientStrategy<null> {
  resolveOptions<object>('imtl-g', {}, options);
  return {
    specification: 1,
    name: 'imtl-g',
    needs: { gradients: 'gramian' },
    init: () => null,
    integrate({ gramian }, state) {
      const weights = new Float64Array(gramian.size);
      const lengths = norms(gramian);
      const active = nonZero(lengths);
      if (active.length === 0) return { weights, state, note: 'stationary' };
      const cosines = cosineMatrix(gramian, active);
      const inverse = pseudoInverse(cosines);
      // If no combination is zero, none with weights >= 0 is.
      if (inverse.rank < active.length && minNormPoint(cosines).stationary) {
        return { weights, state, note: 'stationary' };
      }

      const relative = relativeTo(lengths, active);
      const { equal, ones } = solve(cosines, inverse, relative);
      const total = equal.reduce((sum, value) => sum + value, 0);
      // First order: an error E of G moves Σ v by onesᵀ E equal, and that of the lengths by less than the same with 1.
      const magnitude = (x: Float64Array) =>
        x.reduce((sum, value, k) => sum + Math.abs(value) * relative[k]!, 0);
      const error = roundingError(cosines);
      if (Math.abs(total) <= error * magnitude(ones) * (magnitude(equal) + 1)) {
        return { weights, state, note: 'degenerate' };
      }
      active.forEach((k, at) => (weights[k] = equal[at]! / total));
      return { weights, state };
    },
  };
}

/** The lengths of the active gradients over the longest of them. */
function relativeTo(lengths: Float64Array, active: readonly number[]): Float64Array {
  let longest = 0;
  for (const k of active) longest = Math.max(longest, lengths[k]!);
  const relative = new Float64Array(active.length);
  for (let at = 0; at < active.length; at++) relative[at] = lengths[active[at]!]! / longest;
  return relative;
}

/** `G⁺ lengths` and `G⁺ 1` for the G of these cosines and lengths, up to powers of the longest length. */
function solve(
  cosines: Gramian,
  { values: inverse, rank }: PseudoInverse,
  lengths: Float64Array,
): { readonly equal: Float64Array; readonly ones: Float64Array } {
  const { size } = cosines;
  const equal = new Float64Array(size);
  const ones = new Float64Array(size);
  if (rank === size) {
    // G⁻¹ = D⁻¹ C⁻¹ D⁻¹ keeps the digits of short gradients beside long ones.
    for (let i = 0; i < size; i++) {
      for (let j = 0; j < size; j++) {
        const entry = inverse[i * size + j]! / lengths[i]!;
        equal[i]! += entry;
        ones[i]! += entry / lengths[j]!;
      }
    }
    return { equal, ones };
  }
  const { values: gramian } = scaledGramian(cosines, lengths);
  const { eigenvalues, eigenvectors } = symmetricEigen(gramian, size);
  for (let k = 0; k < rank; k++) {
    const eigenvalue = eigenvalues[k]!;
    // Smaller eigenvalues cannot be told from zero in float64.
    if (eigenvalue <= size * 2 ** -52 * eigenvalues[0]!) break;
    let along = 0;
    let sum = 0;
    for (let i = 0; i < size; i++) {
      along += eigenvectors[i * size + k]! * lengths[i]!;
      sum += eigenvectors[i * size + k]!;
    }
    for (let i = 0; i < size; i++) {
      equal[i]! += (eigenvectors[i * size + k]! * along) / eigenvalue;
      ones[i]! += (eigenvectors[i * size + k]! * sum) / eigenvalue;
    }
  }
  return { equal, ones };
}
