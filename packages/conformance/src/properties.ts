/** A property that a strategy does not have; the kit looks for a counterexample and fails where it finds none. */
export interface Not {
  /** Why not, in a few words, for the test's title. */
  readonly not: string;
}

/**
 * Where a property holds:
 *
 * - `true`: for whatever gradients
 * - `'independent'`: for linearly independent ones; the kit looks for a counterexample among the others
 * - `{ not: reason }`: not even there; the kit looks for a counterexample
 */
export type Scope = true | 'independent' | Not;

/** What is known of the one gradient of a group at the first step. */
export interface SingleGradient {
  /** Its length, > 0. */
  readonly length: number;
  /** Its objective's loss, > 0. */
  readonly loss: number;
}

/** What a strategy promises beyond what every strategy has to; each promise is tested, and so is each denial. */
export interface StrategyProperties {
  /** No objective gets worse: `⟨u, g_k⟩ >= −ε |u| |g_k|` for every k, with the kit's tolerance as ε. */
  readonly nonConflicting: Scope;
  /**
   * The order of objectives does not matter: the update stays as it is, and the weights of linearly independent
   * gradients move with their objectives. Not for strategies that put objectives in a random order.
   */
  readonly permutation: Scope;
  /**
   * The degree d of homogeneity: gradients multiplied by s have the update multiplied by `s^d`, at the same losses.
   * Tested with s from 2⁻⁵⁰ to 2⁵⁰ (1e-15 … 1e15), and with gradients 2⁻⁴⁹⁸ to 2⁴⁹⁸ (1e-150 … 1e150) long.
   */
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
