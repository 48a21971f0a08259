/**
 * The data that a strategy needs at a step; the engine computes and reads back nothing else.
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
   * - `none`: no gradients; the weights are known before the backward pass, so one backward pass is enough
   * - `gramian`: the K × K inner products of each group's gradients
   * - `tensor-gramians`: those, and the inner products for each named tensor of the group
   * - `rows`: the gradients themselves; the `combine` that the strategy returns reads their single coordinates
   */
  readonly gradients: 'none' | 'gramian' | 'tensor-gramians' | 'rows';
  /**
   * - `now`: the objectives' losses at this step
   * - `now-and-after-step`: those, and the losses on the same batch after the optimizer's step (`onStepEnd`)
   * - `epoch-means`: the mean losses of each finished epoch (`onEpochEnd`)
   * - `now-and-epoch-means`: the losses at this step, and those means
   */
  readonly losses?: 'now' | 'now-and-after-step' | 'epoch-means' | 'now-and-epoch-means';
  /**
   * A memory: one vector for each objective, the size of its gradient and zero at first, that the strategy lets follow
   * the gradients (`Integration.memoryUpdate`). With `squares` the engine lets it follow their squares, coordinate by
   * coordinate: `m_k ← √(m_k² + g_k²)`, and shows the gradients divided by its root in `GroupGradients.stacked`. Only with
   * `gradients: 'gramian'`.
   */
  readonly memory?: true | 'squares';
  /**
   * Number of independent batches whose gradients are taken at the same parameters, an integer >= 2. Only with
   * `gradients: 'gramian'`. @defaultValue 1
   */
  readonly batches?: number;
}
