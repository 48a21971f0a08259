/** Integer weights of coalitions, and what their sum is divided by: Shapley values of integers have exact numerators. */
export interface Functional {
  /** A weight for each coalition: an integer. */
  readonly weights: Float64Array;
  readonly divisor: number;
}

/** Number of players in a coalition that is written as bits. */
export function sizeOf(coalition: number): number {
  let size = 0;
  for (let rest = coalition; rest > 0; rest &= rest - 1) size += 1;
  return size;
}

/** The functional whose value is the sum of what `entries` say: weights by coalition. */
export function functionalOf(
  players: number,
  divisor: number,
  entries: Iterable<readonly [coalition: number, weight: number]>,
): Functional {
  const weights = new Float64Array(1 << players);
  for (const [coalition, weight] of entries) weights[coalition]! += weight;
  return { weights, divisor };
}

/** The value of a functional on the values of a game. */
export function valueOf({ weights, divisor }: Functional, values: ArrayLike<number>): number {
  let numerator = 0;
  weights.forEach((weight, coalition) => {
    // A coalition without weight may have an infinite value.
    if (weight !== 0) numerator += weight * values[coalition]!;
  });
  return numerator / divisor;
}

/** The Shapley value of one player. */
export function shapleyFunctional(players: number, player: number): Functional {
  const bit = 1 << player;
  const entries = coalitionsWithout(players, bit).flatMap((coalition) => {
    const size = sizeOf(coalition);
    const weight = factorial(size) * factorial(players - size - 1);
    return [
      [coalition | bit, weight],
      [coalition, -weight],
    ] as const;
  });
  return functionalOf(players, factorial(players), entries);
}

/** The Shapley interaction index of two players. */
export function interactionFunctional(players: number, first: number, second: number): Functional {
  const [a, b] = [1 << first, 1 << second];
  const entries = coalitionsWithout(players, a | b).flatMap((coalition) => {
    const size = sizeOf(coalition);
    const weight = factorial(size) * factorial(players - size - 2);
    return [
      [coalition | a | b, weight],
      [coalition | a, -weight],
      [coalition | b, -weight],
      [coalition, weight],
    ] as const;
  });
  return functionalOf(players, factorial(players - 1), entries);
}

/** All coalitions that have none of the players in `bits`. */
function coalitionsWithout(players: number, bits: number): number[] {
  const all = Array.from({ length: 1 << players }, (_, coalition) => coalition);
  return all.filter((coalition) => (coalition & bits) === 0);
}

function factorial(n: number): number {
  let product = 1;
  for (let k = 2; k <= n; k++) product *= k;
  return product;
}
