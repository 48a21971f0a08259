import { randomState, resumeRandom } from '@multigrad/core/strategy';

/**
 * The order of `count` samples in an epoch: a permutation that depends on nothing but the three arguments.
 *
 * @param shuffleSeed - an integer >= 0, or null for the stored order
 *
 * @example
 * ```ts
 * import { epochOrder } from '@multigrad/datasets';
 *
 * console.log(epochOrder(4, null, 0)); // Int32Array(4) [ 0, 1, 2, 3 ]
 * console.log(epochOrder(1000, 7, 0).join() === epochOrder(1000, 7, 1).join()); // false
 * ```
 */
export function epochOrder(count: number, shuffleSeed: number | null, epoch: number): Int32Array {
  if (shuffleSeed === null) return Int32Array.from({ length: count }, (_, i) => i);
  const random = resumeRandom(randomState(shuffleSeed, 'epoch order', epoch));
  return Int32Array.from(random.permutation(count));
}
