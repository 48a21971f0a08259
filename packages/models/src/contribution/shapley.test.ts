import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { shapleyInteractions, shapleyValues } from './shapley.ts';

/** All orders of the players from 0 to `count − 1`. */
function ordersOf(count: number): number[][] {
  if (count === 0) return [[]];
  return ordersOf(count - 1).flatMap((order) =>
    Array.from({ length: count }, (_, at) => [
      ...order.slice(0, at),
      count - 1,
      ...order.slice(at),
    ]),
  );
}

/** What each player adds, summed over all orders: Shapley values times M!, in exact integers. */
function overOrders(values: readonly number[]): bigint[] {
  const players = Math.log2(values.length);
  const sums = new Array<bigint>(players).fill(0n);
  for (const order of ordersOf(players)) {
    let coalition = 0;
    for (const player of order) {
      const joined = coalition | (1 << player);
      sums[player]! += BigInt(values[joined]!) - BigInt(values[coalition]!);
      coalition = joined;
    }
  }
  return sums;
}

const games = (fewest: number, most: number): fc.Arbitrary<number[]> =>
  fc.integer({ min: fewest, max: most }).chain((players) =>
    fc.array(fc.integer({ min: 0, max: 10_000 }), {
      minLength: 1 << players,
      maxLength: 1 << players,
    }),
  );

const factorials = [1, 1, 2, 6, 24, 120, 720];

describe('shapleyValues', () => {
  it('equals the mean over all orders of two to six players, rounded once', () => {
    fc.assert(
      fc.property(games(1, 6), (values) => {
        const sums = overOrders(values);
        const found = shapleyValues(values);
        expect([...found]).toEqual(sums.map((sum) => Number(sum) / factorials[sums.length]!));
      }),
      { numRuns: 60 },
    );
  });

  it('adds up to the value of all less that of none, exactly in the numerators', () => {
    fc.assert(
      fc.property(games(1, 6), (values) => {
        const found = shapleyValues(values);
        const whole = factorials[found.length]!;
        const numerators = [...found].map((value) => Math.round(value * whole));
        // Each value is the exact quotient of its numerator, and the numerators add up without rounding.
        numerators.forEach((numerator, k) => expect(found[k]).toBe(numerator / whole));
        const total = numerators.reduce((sum, numerator) => sum + numerator, 0);
        expect(total).toBe(whole * (values.at(-1)! - values[0]!));
      }),
    );
  });

  it('gives nothing to a player who changes nothing, and the same to two who do the same', () => {
    // v(S) = 7 where the first is in S, whatever the second does.
    expect([...shapleyValues([0, 7, 0, 7])]).toEqual([7, 0]);
    // The glove game: one left glove, two right ones.
    const gloves = [0, 0, 0, 1, 0, 1, 0, 1];
    expect([...shapleyValues(gloves)]).toEqual([4 / 6, 1 / 6, 1 / 6]);
  });

  it('refuses what is no game', () => {
    expect(() => shapleyValues([1, 2, 3])).toThrow(
      '`shapleyValues` should get a value for each of 2^M coalitions of M players, M from 1 to 16. Found 3 values.',
    );
    expect(() => shapleyValues([])).toThrow('Found 0 values.');
    expect(() => shapleyValues([0, NaN])).toThrow(
      'should get finite numbers. Found NaN at index 1.',
    );
    expect(() => shapleyValues(new Float64Array(1 << 17))).toThrow('Found 131072 values.');
  });
});

describe('shapleyInteractions', () => {
  /** What a pair adds together beyond each alone, averaged over the orders of the pair as one and the others. */
  function brute(values: readonly number[], a: number, b: number): number {
    const players = Math.log2(values.length);
    const others = Array.from({ length: players }, (_, k) => k).filter((k) => k !== a && k !== b);
    const units = [1 << a, ...others.map((k) => 1 << k)];
    const orders = ordersOf(units.length);
    let sum = 0;
    for (const order of orders) {
      let before = 0;
      for (const unit of order) {
        if (unit === 0) break;
        before |= units[unit]!;
      }
      const [i, j] = [1 << a, 1 << b];
      sum += values[before | i | j]! - values[before | i]! - values[before | j]! + values[before]!;
    }
    return sum / orders.length;
  }

  it('equals the mean over orders in which the pair comes as one', () => {
    fc.assert(
      fc.property(games(2, 6), (values) => {
        const rows = shapleyInteractions(values);
        rows.forEach((row, a) =>
          row.forEach((index, b) => {
            if (a === b) expect(index).toBe(0);
            else expect(index).toBe(brute(values, a, b));
          }),
        );
      }),
      { numRuns: 60 },
    );
  });

  it('is zero where values add up, and tells complements from substitutes', () => {
    expect(shapleyInteractions([1, 3, 4, 6])[0]![1]).toBe(0);
    expect(shapleyInteractions([0, 0, 0, 1])[0]![1]).toBe(1);
    expect(shapleyInteractions([0, 1, 1, 1])[1]![0]).toBe(-1);
    expect(() => shapleyInteractions([0, 1])).toThrow('M from 2 to 16. Found 2 values.');
  });
});
