/** A property that a strategy does not have. */
export interface Not {
  /** Why not, in a few words. */
  readonly not: string;
}

/**
 * Where a property holds:
 *
 * - `true`: for whatever gradients
 * - `'independent'`: for linearly independent ones, but not for all
 * - `{ not: reason }`: not even there
 */
export type Scope = true | 'independent' | Not;

/** The one gradient of a group at the first step. */
export interface SingleGradient {
  /** Its length, > 0. */
  readonly length: number;
  /** Its objective's loss, > 0. */
  readonly loss: number;
}

/**
 * The promises of a strategy with its default options beyond those of every strategy, and what it does not promise.
 * `@multigrad/conformance` tests these claims, denials included.
 *
 * @example
 * ```ts
 * import type { StrategyProperties } from '@multigrad/core/strategy';
 *
 * const sum: StrategyProperties = {
 *   nonConflicting: { not: 'adds the gradients whatever their conflict' },
 *   permutation: true,
 *   homogeneity: 1,
 *   linearUnderRowScaling: true,
 *   single: 1,
 *   stationary: 'moves',
 * };
 * ```
 */
export interface StrategyProperties {
  /** No objective gets worse: `⟨u, g_k⟩ >= 0` for every k, within rounding. */
  readonly nonConflicting: Scope;
  /**
   * The order of objectives does not matter, even if it changes from step to step: the update stays as it is, and the
   * weights of linearly independent gradients move with their objectives. Not for strategies that put objectives in a
   * random order.
   */
  readonly permutation: Scope;
  /** The degree d of homogeneity: multiplying all gradients by s multiplies the update by `s^d`, at the same losses. */
  readonly homogeneity: number | Not;
  /** With row k multiplied by `c_k > 0` at every step, the update is linear in c. */
  readonly linearUnderRowScaling: Scope;
  /**
   * The factor of the update at one objective, `u = factor · g`: a number, which holds at every step, or a function of
   * the gradient, which holds at the first step. Strategies that refuse one objective say `{ not: reason }`.
   */
  readonly single: number | ((gradient: SingleGradient) => number) | Not;
  /**
   * The update for gradients, none of them zero, of which a combination with positive weights is zero: `'zero'` if it
   * is zero at all such points, `'moves'` if it is not zero at some.
   */
  readonly stationary: 'zero' | 'moves';
}
