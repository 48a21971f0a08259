import { MultigradError } from '@multigrad/core/strategy';
import {
  describeValue,
  interactionFunctional,
  shapleyFunctional,
  valueOf,
} from '@multigrad/core/support';

/** The most players of {@link shapleyValues}: beyond, the factorials are no exact float64 integers. */
const mostPlayers = 16;

/**
 * Shapley values of a cooperative game: what each player adds, averaged over all orders in which the players may come.
 *
 * With M players and the value v(S) of each coalition S,
 *
 * `φ_k = Σ_{S ∌ k} |S|! (M − |S| − 1)! / M! · (v(S ∪ {k}) − v(S))`, so that `Σ_k φ_k = v(all) − v(∅)`.
 *
 * Numerators over M! are summed up in integers where the values are integers, such as counts of right answers: then every
 * φ_k is the exact quotient, rounded once.
 *
 * @param values - 2^M values of coalitions, M from 1 to 16: the one at index `Σ_{k ∈ S} 2^k` is v(S), so the first is v(∅)
 * and the last is that of all players
 * @returns M values in the unit of `values`
 * @throws MultigradError `invalid-argument` for another number of values, or one that is no finite number
 *
 * @example
 * ```ts
 * import { shapleyValues } from '@multigrad/models';
 *
 * // Nobody, the first alone, the second alone, both:
 * console.log(shapleyValues([0, 60, 20, 90])); // Float64Array(2) [ 65, 25 ]
 * ```
 *
 * @see Shapley, "A Value for n-Person Games", Contributions to the Theory of Games II, 1953, equation 12
 */
export function shapleyValues(values: ArrayLike<number>): Float64Array {
  const players = playersOf('shapleyValues', values);
  return Float64Array.from({ length: players }, (_, player) =>
    valueOf(shapleyFunctional(players, player), values),
  );
}

/**
 * Shapley interaction indices of pairs of players: what two of them have together beyond what each adds without the other.
 * Positive where they complement each other, negative where one makes the other redundant.
 *
 * `I_ab = Σ_{S ∌ a, b} |S|! (M − |S| − 2)! / (M − 1)! · (v(S ∪ {a, b}) − v(S ∪ {a}) − v(S ∪ {b}) + v(S))`;
 * for two players `v(ab) − v(a) − v(b) + v(∅)`.
 *
 * @param values - 2^M values of coalitions, M from 2 to 16, indexed as in {@link shapleyValues}
 * @returns M rows of M numbers, symmetric, with zeros on the diagonal
 * @throws MultigradError `invalid-argument` for another number of values, or one that is no finite number
 *
 * @example
 * ```ts
 * import { shapleyInteractions } from '@multigrad/models';
 *
 * console.log(shapleyInteractions([0, 60, 20, 90])[0]?.[1]); // 90 − 60 − 20 + 0 = 10
 * ```
 *
 * @see Grabisch and Roubens, "An axiomatic approach to the concept of interaction among players in cooperative games",
 * International Journal of Game Theory, 1999, definition 1
 */
export function shapleyInteractions(values: ArrayLike<number>): Float64Array[] {
  const players = playersOf('shapleyInteractions', values, 2);
  const rows = Array.from({ length: players }, () => new Float64Array(players));
  for (let a = 0; a < players; a++) {
    for (let b = 0; b < a; b++) {
      const index = valueOf(interactionFunctional(players, a, b), values);
      rows[a]![b] = index;
      rows[b]![a] = index;
    }
  }
  return rows;
}

function playersOf(owner: string, values: ArrayLike<number>, fewest = 1): number {
  const players = Math.log2(values.length);
  if (!Number.isInteger(players) || players < fewest || players > mostPlayers) {
    throw new MultigradError(
      'invalid-argument',
      `\`${owner}\` should get a value for each of 2^M coalitions of M players, M from ${fewest} to ${mostPlayers}. ` +
        `Found ${values.length} values.`,
    );
  }
  const wrong = Array.from(values).findIndex((value) => !Number.isFinite(value));
  if (wrong >= 0) {
    throw new MultigradError(
      'invalid-argument',
      `\`${owner}\` should get finite numbers. Found ${describeValue(values[wrong])} at index ${wrong}.`,
    );
  }
  return players;
}
