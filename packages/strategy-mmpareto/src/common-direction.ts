import {
  type Gramian,
  innerProduct,
  minNormPoint,
  nonZero,
  norms,
  partOfGramian,
} from '@multigrad/core/strategy';

/**
 * Result of the first two steps of the algorithm: no conflict (`sum`), a common descent direction `h = Σ_k h_k g_k`
 * with the weights `h_k`, or no such direction (`stationary`).
 */
export type CommonDirection = 'sum' | 'stationary' | Float64Array;

/**
 * Looks for two gradients in conflict. If there are two, finds the shortest convex combination of the gradients, times
 * their number.
 *
 * Gradients that are exactly zero take no part: any update leaves their inner product at 0, so they conflict with none,
 * and a zero gradient would itself be the shortest combination.
 *
 * @param conflicts - whether two gradients with this inner product are in conflict
 */
export function commonDirection(
  gramian: Gramian,
  conflicts: (product: number) => boolean,
): CommonDirection {
  const taking = nonZero(norms(gramian));
  const conflict = taking.some((i) =>
    taking.some((j) => i < j && conflicts(innerProduct(gramian, i, j))),
  );
  if (!conflict) return 'sum';
  const shortest = minNormPoint(partOfGramian(gramian, taking));
  if (shortest.stationary) return 'stationary';
  const weights = new Float64Array(gramian.size);
  taking.forEach((k, at) => (weights[k] = taking.length * shortest.weights[at]!));
  return weights;
}
