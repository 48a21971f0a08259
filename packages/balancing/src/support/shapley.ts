/** The subsets of some names, in the order of their bits: the first name is bit 0. */
export function subsetsOf<T>(names: readonly T[]): T[][] {
  return Array.from({ length: 2 ** names.length }, (_, bits) =>
    names.filter((_name, k) => (bits & (1 << k)) !== 0),
  );
}

/** The Shapley value of one player: `φ = Σ_S w_S v(S) / n!`. The weights are integers, so that sums of integers are exact. */
export interface ShapleyWeights {
  /** One for each subset, in the order of `subsetsOf`. */
  readonly weights: readonly number[];
  /** n! */
  readonly divisor: number;
}

/**
 * The weight of each subset in the Shapley value of one of n players: `|S|! (n−|S|−1)!` of the subset S with the player, and its
 * negative without.
 *
 * @param player - from 0
 */
export function shapleyWeights(n: number, player: number): ShapleyWeights {
  const weights = Array.from({ length: 2 ** n }, (_, bits) => {
    const has = (bits & (1 << player)) !== 0;
    const others = bitCount(bits) - (has ? 1 : 0);
    const weight = factorial(others) * factorial(n - others - 1);
    return has ? weight : -weight;
  });
  return { weights, divisor: factorial(n) };
}

function bitCount(bits: number): number {
  let count = 0;
  for (let left = bits; left > 0; left &= left - 1) count += 1;
  return count;
}

function factorial(n: number): number {
  return n < 2 ? 1 : n * factorial(n - 1);
}
