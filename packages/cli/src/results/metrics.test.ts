import { exactVector, nearestDouble } from '@multigrad/test-support';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hypervolume, meanRanks, relativeGain } from './metrics.ts';

describe('relativeGain', () => {
  it('is the mean relative gain in percent', () => {
    expect(relativeGain([0.99, 0.4], [0.9, 0.5])).toBeCloseTo((10 - 20) / 2, 12);
    expect(relativeGain([0.3, 0.7], [0.3, 0.7])).toBe(0);
  });
});

describe('meanRanks', () => {
  it('averages ranks over tasks, and those of rows that tie', () => {
    expect(
      meanRanks([
        [0.9, 0.1],
        [0.8, 0.5],
        [0.9, 0.3],
      ]),
    ).toEqual([(1.5 + 3) / 2, (3 + 1) / 2, (1.5 + 2) / 2]);
  });

  it('lets scores tie that differ by rounding alone', () => {
    const [one, other] = [(0.1 + 0.2 + 0.3) / 3, (0.3 + 0.2 + 0.1) / 3] as const;
    expect(one).not.toBe(other);
    expect(meanRanks([[one], [other], [0.1]])).toEqual([1.5, 1.5, 3]);
  });

  it('adds up to the same whatever the scores', () => {
    const row = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 3, maxLength: 3 });
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 6 }), (scores) => {
        const total = meanRanks(scores).reduce((sum, rank) => sum + rank, 0);
        expect(total).toBeCloseTo((scores.length * (scores.length + 1)) / 2, 9);
      }),
    );
  });
});

describe('hypervolume', () => {
  it('is the product of the coordinates of one point, and the area under a staircase', () => {
    expect(hypervolume([[0.5, 0.4, 0.1]])).toBeCloseTo(0.02, 15);
    expect(
      hypervolume([
        [3, 1],
        [1, 3],
        [2, 2],
        [1, 1],
      ]),
    ).toBe(6);
    expect(hypervolume([])).toBe(0);
  });

  it('agrees with inclusion and exclusion', () => {
    const point = fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 3, maxLength: 3 });
    fc.assert(
      fc.property(fc.array(point, { minLength: 1, maxLength: 5 }), (points) => {
        let expected = 0;
        for (let chosen = 1; chosen < 1 << points.length; chosen += 1) {
          const some = points.filter((_, k) => (chosen >> k) & 1);
          const corner = [0, 1, 2].map((axis) => Math.min(...some.map((one) => one[axis]!)));
          const volume = corner.reduce((product, side) => product * side, 1);
          expected += some.length % 2 === 1 ? volume : -volume;
        }
        expect(hypervolume(points)).toBe(expected);
      }),
    );
  });

  it('is what exact fractions give, cell by cell, for doubles of any size in up to four dimensions', () => {
    const coordinate = fc.double({ min: 0, max: 1e6, noNaN: true });
    const points = fc.integer({ min: 1, max: 4 }).chain((size) =>
      fc.array(fc.array(coordinate, { minLength: size, maxLength: size }), {
        minLength: 1,
        maxLength: 7,
      }),
    );
    fc.assert(
      fc.property(points, (given) => {
        const exact = cellVolume(given);
        // Products below the smallest normal number have fewer digits.
        const tolerance = 1e-13 * exact + 2 ** -1000;
        expect(Math.abs(hypervolume(given) - exact)).toBeLessThanOrEqual(tolerance);
      }),
    );
  });
});

/**
 * The volume below some points in whole numbers over one denominator: the points' coordinates cut space into cells, of which
 * those count whose upper corner is below a point.
 */
function cellVolume(points: readonly (readonly number[])[]): number {
  const size = points[0]!.length;
  const { numerators, denominator } = exactVector(points.flat());
  const exact = points.map((_, at) => numerators.slice(at * size, (at + 1) * size));
  const below = (corner: readonly bigint[]): bigint => {
    const axis = corner.length;
    if (axis === size) {
      return exact.some((point) => point.every((value, k) => value >= corner[k]!)) ? 1n : 0n;
    }
    const cuts = [...new Set(exact.map((point) => point[axis]!))].sort((a, b) => (a < b ? -1 : 1));
    return cuts.reduce(
      (sum, cut, at) => sum + (cut - (cuts[at - 1] ?? 0n)) * below([...corner, cut]),
      0n,
    );
  };
  return nearestDouble({ numerator: below([]), denominator: denominator ** BigInt(size) });
}
