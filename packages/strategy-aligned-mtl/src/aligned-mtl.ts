import {
  cosineMatrix,
  type GradientStrategy,
  type Gramian,
  nonZero,
  norms,
  type ObjectiveWeights,
  type OptionsOf,
  preferencesOf,
  pseudoInverse,
  resolveOptions,
  scaledGramian,
  symmetricEigen,
} from '@multigrad/core/strategy';

/** Descriptions of the options of {@link alignedMtl}. */
export const alignedMtlOptions = {
  /**
   * Preference of each objective by name, finite and >= 0; objectives that are not named have 1. The preferences of the
   * objectives present are divided by their sum. Null prefers none.
   *
   * @defaultValue null
   */
  preference: {
    kind: 'weights',
    preference: 'counts',
    description:
      'Preference of each objective by name, a finite number >= 0; objectives that are not named have 1, and the sum is scaled to 1.',
  },
  /**
   * Squared length that the gradients are brought to: the smallest eigenvalue of the Gramian that is not zero (`min`),
   * the median (`median`, the lower of two middle ones) or the mean (`rmse`) of those.
   *
   * @defaultValue 'min'
   */
  scale: {
    kind: 'choice',
    choices: ['min', 'median', 'rmse'],
    default: 'min',
    description:
      'Squared length that the gradients are brought to: the smallest (min), median or mean (rmse) of the Gramian eigenvalues that are not zero.',
  },
} as const;

/** Options of {@link alignedMtl}. */
export interface AlignedMtlOptions extends OptionsOf<typeof alignedMtlOptions> {}

/**
 * Aligned-MTL: the gradients are made orthogonal and equally long by the least change, then averaged.
 *
 * `w = B p` with `B = √s V Λ^(−1/2) Vᵀ` over the eigenvalues of `G = V Λ Vᵀ` that are not zero. The aligned gradients,
 * the rows of `B J`, have the condition number 1: `B G Bᵀ = s I` for independent gradients. The preference p sums to 1,
 * and s is the smallest of those eigenvalues (`min`), their median or their mean (`rmse`). With `min` the update is at
 * most as long as the average of this preference. One objective keeps its plain gradient. Multiplying all gradients by a factor
 * multiplies the update by it.
 *
 * The update may conflict with an objective, and it is not zero at Pareto stationary gradients in general.
 *
 * - The number of eigenvalues that are not zero is the rank of the gradients' cosines, decided against the Gramian's
 *   error; eigenvalues of at most `K · 2⁻⁵²` times the largest count as zero too, since float64 cannot tell them.
 * - Zero gradients have the weight 0. If all are zero, the note is `stationary`.
 * - If every objective present has the preference 0 all weights are 0 and the note is `degenerate`.
 *
 * A preference for a name that a group does not have is no error: another group may have it.
 *
 * @remarks
 * The paper leaves the sum of the preferences open; here it is 1, whatever objectives are present. The official code
 * decides the rank on the eigenvalues of G against float32's precision, which drops short gradients beside long ones.
 *
 * @throws MultigradError `invalid-option` for options that do not fit
 *
 * @example
 * ```ts
 * import { integrateMatrix } from '@multigrad/core/strategy';
 * import { alignedMtl } from '@multigrad/strategy-aligned-mtl';
 *
 * const { weights } = integrateMatrix(alignedMtl(), [
 *   [-4, 1, 1],
 *   [6, 1, 1],
 * ]);
 * console.log(weights.map((weight) => Number(weight.toFixed(4)))); // Float64Array(2) [ 0.5591, 0.4083 ]
 * ```
 *
 * @see D. Senushkin, N. Patakin, A. Kuznetsov, A. Konushin, "Independent Component Alignment for Multi-Task Learning",
 * CVPR 2023, section 4, Algorithm 1. https://arxiv.org/abs/2305.19000
 */
export function alignedMtl(options: AlignedMtlOptions = {}): GradientStrategy<null> {
  const { preference, scale } = resolveOptions<AlignedMtlOptions>(
    'aligned-mtl',
    alignedMtlOptions,
    options,
  );
  return {
    specification: 1,
    name: 'aligned-mtl',
    needs: { gradients: 'gramian' },
    init: () => null,
    integrate({ objectives, gramian }, state) {
      const weights = new Float64Array(gramian.size);
      const lengths = norms(gramian);
      const active = nonZero(lengths);
      if (active.length === 0) return { weights, state, note: 'stationary' };
      const shares = sharesOf(objectives, preference);
      if (shares === null) return { weights, state, note: 'degenerate' };
      const preferred = new Float64Array(active.length);
      for (let at = 0; at < active.length; at++) preferred[at] = shares[active[at]!]!;
      const aligned = align(gramian, lengths, active, preferred, scale);
      for (let at = 0; at < active.length; at++) weights[active[at]!] = aligned[at]!;
      return { weights, state };
    },
  };
}

/** The preferences of the objectives present, of sum 1; null if all are 0. */
function sharesOf(
  objectives: readonly string[],
  preference: ObjectiveWeights | null,
): Float64Array | null {
  const shares = preferencesOf(objectives, preference, 1);
  let largest = 0;
  for (const value of shares) largest = Math.max(largest, value);
  if (largest === 0) return null;
  // Divide by the largest first: the plain sum could overflow.
  let total = 0;
  for (const value of shares) total += value / largest;
  for (let k = 0; k < shares.length; k++) shares[k] = shares[k]! / largest / total;
  return shares;
}

/** `B p` for the gradients of the indices `active`, none of which is zero. */
function align(
  gramian: Gramian,
  lengths: Float64Array,
  active: readonly number[],
  preferred: Float64Array,
  scale: Required<AlignedMtlOptions>['scale'],
): Float64Array {
  const size = active.length;
  const cosines = cosineMatrix(gramian, active);
  let longest = 0;
  for (const k of active) longest = Math.max(longest, lengths[k]!);
  const { values } = scaledGramian(
    cosines,
    Float64Array.from(active, (k) => lengths[k]! / longest),
  );
  // Cosines have the rank of G, and do not make a short gradient count as zero.
  const { rank } = pseudoInverse(cosines);
  const { eigenvalues, eigenvectors } = symmetricEigen(values, size);
  let count = 0;
  while (count < rank && eigenvalues[count]! > size * 2 ** -52 * eigenvalues[0]!) count++;
  const kept = eigenvalues.subarray(0, count);
  const target = targetOf(kept, scale);
  const weights = new Float64Array(size);
  for (let k = 0; k < count; k++) {
    let along = 0;
    for (let i = 0; i < size; i++) along += eigenvectors[i * size + k]! * preferred[i]!;
    const factor = Math.sqrt(target / kept[k]!) * along;
    for (let i = 0; i < size; i++) weights[i]! += factor * eigenvectors[i * size + k]!;
  }
  return weights;
}

/** The squared length s for eigenvalues in descending order. */
function targetOf(eigenvalues: Float64Array, scale: Required<AlignedMtlOptions>['scale']): number {
  switch (scale) {
    case 'min':
      return eigenvalues.at(-1)!;
    case 'median':
      return eigenvalues[Math.floor(eigenvalues.length / 2)]!;
    case 'rmse':
      return eigenvalues.reduce((sum, value) => sum + value, 0) / eigenvalues.length;
  }
}
