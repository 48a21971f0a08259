/** The subsets of some names, in the order of their bits: the first name is bit 0. */
export function subsetsOf<T>(names: readonly T[]): T[][] {
  return Array.from({ length: 2 ** names.length }, (_, bits) =>
    names.filter((_name, k) => (bits & (1 << k)) !== 0),
  );
}

/**
 * The weight of each subset in the Shapley value of one of n players: `φ = Σ_S w_S v(S)`, with
 * `w = |S|! (n−|S|−1)!/n!` of the subset with the player, and its negative without.
 *
 * @param player - from 0
 * @returns one weight for each subset, in the order of `subsetsOf`
 */
export function shapleyWeights(n: number, player: number): number[] {
  return Array.from({ length: 2 ** n }, (_, bits) => {
    const has = (bits & (1 << player)) !== 0;
    const others = bitCount(bits) - (has ? 1 : 0);
    const weight = (factorial(others) * factorial(n - others - 1)) / factorial(n);
    return has ? weight : -weight;
  });
}

function bitCount(bits: number): number {
  let count = 0;
  for (let left = bits; left > 0; left &= left - 1) count += 1;
  return count;
}

function factorial(n: number): number {
  return n < 2 ? 1 : n * factorial(n - 1);
}
