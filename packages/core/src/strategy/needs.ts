/**
 * What a strategy has to see at a step; the engine computes and reads back just that.
 *
 * @example
 * ```ts
 * import type { Needs } from '@multigrad/core/strategy';
 *
 * const needs: Needs = { gradients: 'gramian' };
 * ```
 */
export interface Needs {
  /**
   * - `none`: no gradients; the weights are known before the backward pass, so one sweep is enough
   * - `gramian`: the K × K inner products of each group's gradients
   * - `tensor-gramians`: the same, and for each named tensor of the group too
   */
  readonly gradients: 'none' | 'gramian' | 'tensor-gramians';
  /**
   * - `now`: the objectives' losses at this step
   * - `now-and-after-step`: those, and once more on the same batch after the optimizer's step (`afterStep`)
   * - `epoch-means`: the mean losses of each finished epoch (`onEpochEnd`)
   */
  readonly losses?: 'now' | 'now-and-after-step' | 'epoch-means';
}
