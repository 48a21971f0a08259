import {
  combineExactly,
  compareExactly,
  dotExactly,
  entangledRows,
  exactGradients,
  exactLength,
  exactVector,
  minNormPointExactly,
  nearestDouble,
  nearestDoubles,
  projectOntoDualConeExactly,
  solveExactly,
  subtractExactly,
} from '@multigrad/test-support';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

// The oracle that solvers are judged by has to be right itself.

const zero = { numerator: 0n, denominator: 1n };

const matrices = fc
  .tuple(fc.nat(1e6), fc.integer({ min: 2, max: 6 }))
  .map(([seed, size]) => entangledRows(seed, size));

/** Every subset of the rows, solved with equality: the shortest of those points that have weights >= 0. */
function shortestOverFaces(jacobian: readonly number[][]): number {
  const { gramian } = exactGradients(jacobian);
  let shortest = Infinity;
  for (let face = 1; face < 2 ** jacobian.length; face += 1) {
    const rows = [...jacobian.keys()].filter((k) => (face >> k) & 1);
    // G w = λ 1 and 1 · w = 1, with −λ the last unknown.
    const solution = solveExactly([
      ...rows.map((i) => [...rows.map((j) => gramian[i]![j]!), 1n, 0n]),
      [...rows.map(() => 1n), 0n, 1n],
    ]);
    // Where rows depend on each other fewer of them reach the same point, on another face.
    if (solution === null) continue;
    const { numerators, denominator } = solution;
    if (numerators.slice(0, -1).some((value) => value < 0n)) continue;
    shortest = Math.min(shortest, -nearestDouble({ numerator: numerators.at(-1)!, denominator }));
  }
  return shortest;
}

describe('exact numbers', () => {
  it('are doubles to the last bit, there and back', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ noNaN: true, noDefaultInfinity: true })), (numbers) => {
        const found = nearestDoubles(exactVector(numbers));
        // Not `toEqual`: there is no negative zero among whole numbers.
        found.forEach((value, at) => expect(value === numbers[at]).toBe(true));
      }),
    );
    expect(exactVector([0.1]).numerators).toEqual([3602879701896397n]);
    expect(exactVector([0.1]).denominator).toBe(2n ** 55n);
    expect(() => exactVector([NaN])).toThrow('NaN');
  });

  it('are divided, compared and measured', () => {
    expect(nearestDouble({ numerator: -2n, denominator: 3n })).toBeCloseTo(-2 / 3, 15);
    expect(nearestDouble({ numerator: 10n ** 400n, denominator: 3n * 10n ** 400n })).toBeCloseTo(
      1 / 3,
      15,
    );
    expect(
      compareExactly({ numerator: 1n, denominator: 3n }, { numerator: 2n, denominator: 6n }),
    ).toBe(0);
    expect(
      compareExactly({ numerator: 1n, denominator: 3n }, { numerator: 1n, denominator: 2n }),
    ).toBe(-1);
    expect(exactLength(exactVector([3, 4]))).toBe(5);
    expect(exactLength(exactVector([3e200, 4e200]))).toBeCloseTo(5e200, -186);
    expect(exactLength(exactVector([3e-200, 4e-200])) / 5e-200).toBeCloseTo(1, 15);
    expect(exactLength(exactVector([0]))).toBe(0);
  });
});

describe('the exact projection onto the dual cone', () => {
  it('meets the optimality conditions without any tolerance', () => {
    fc.assert(
      fc.property(
        matrices,
        fc.array(fc.nat(3), { minLength: 6, maxLength: 6 }),
        (jacobian, start) => {
          const gradients = exactGradients(jacobian);
          const u = exactVector(start.slice(0, jacobian.length));
          const weights = projectOntoDualConeExactly(gradients, u);
          const update = combineExactly(gradients, weights);
          const moved = subtractExactly(weights, u).numerators;
          gradients.rows.forEach((row, k) => {
            const product = compareExactly(dotExactly(update, row), zero);
            expect(moved[k]! >= 0n).toBe(true);
            expect(product).toBeGreaterThanOrEqual(0);
            if (moved[k]! > 0n) expect(product).toBe(0);
          });
        },
      ),
    );
  });

  it('is zero for pairs of opposites', () => {
    const rows = [
      [-7, -7, -3, -9],
      [-1, -8, 9, -8],
      [7, 7, 3, 9],
      [1, 8, -9, 8],
    ];
    const gradients = exactGradients(rows);
    const weights = projectOntoDualConeExactly(gradients, exactVector([1, 2, 3, 4]));
    expect(nearestDoubles(combineExactly(gradients, weights))).toEqual([0, 0, 0, 0]);
  });
});

describe('the exact min-norm point', () => {
  it('is the shortest over all faces of the hull', () => {
    fc.assert(
      fc.property(matrices, (jacobian) => {
        const gradients = exactGradients(jacobian);
        const weights = minNormPointExactly(gradients);
        expect(weights.numerators.every((value) => value >= 0n)).toBe(true);
        expect(weights.numerators.reduce((sum, value) => sum + value)).toBe(weights.denominator);
        const point = combineExactly(gradients, weights);
        const squared = nearestDouble(dotExactly(point, point));
        expect(squared).toBeCloseTo(shortestOverFaces(jacobian), 9);
      }),
    );
  });
});
