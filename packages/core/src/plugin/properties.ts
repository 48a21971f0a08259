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

/** What is known of the one gradient of a group at the first step. */
export interface SingleGradient {
  /** Its length, > 0. */
  readonly length: number;
  /** Its objective's loss, > 0. */
  readonly loss: number;
}

/**
 * What a strategy with its default options promises beyond what every strategy has to, and what it does not: claims that
 * `@multigrad/conformance` tests, denials included.
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
   * The order of objectives does not matter, be it another at each step: the update stays as it is, and the weights of
   * linearly independent gradients move with their objectives. Not for strategies that put objectives in a random order.
   */
  readonly permutation: Scope;
  /** The degree d of homogeneity: gradients multiplied by s have the update multiplied by `s^d`, at the same losses. */
  readonly homogeneity: number | Not;
  /** With row k multiplied by `c_k > 0` at every step, the update is linear in c. */
  readonly linearUnderRowScaling: Scope;
  /**
   * The factor of the update at one objective, `u = factor · g`: a number, at every step, or a function of the gradient,
   * at the first. Strategies that refuse one objective say `{ not: reason }`.
   */
  readonly single: number | ((gradient: SingleGradient) => number) | Not;
  /**
   * What happens where a combination of all gradients with positive weights is zero, none of which is zero itself:
   * `'zero'`, no update at any such point; `'moves'`, an update at some.
   */
  readonly stationary: 'zero' | 'moves';
}
