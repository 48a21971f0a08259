import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { correctTogether, holm, pairedTest, seedsNeeded } from './paired-test.ts';

const bySeed = (values: readonly number[]): Map<number, number> => new Map(values.entries());
const scores = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 2, maxLength: 8 });

describe('pairedTest', () => {
  it('gives the numbers of scipy.stats.ttest_rel and its interval', () => {
    const test = pairedTest(
      bySeed([0.61, 0.64, 0.59, 0.66, 0.63]),
      bySeed([0.6, 0.61, 0.6, 0.62, 0.61]),
    )!;
    expect(test.n).toBe(5);
    expect(test.p).toBeCloseTo(0.10453999977837554, 10);
    expect(test.interval![0]).toBeCloseTo(-0.005883883880999811, 12);
    expect(test.interval![1]).toBeCloseTo(0.04188388388099984, 12);
  });

  it('compares seed by seed, as far as both have them', () => {
    const reference = new Map([
      [1, 0.7],
      [0, 0.3],
    ]);
    const test = pairedTest(bySeed([0.6, 0.8, 0.9]), reference)!;
    expect(test.mean).toBeCloseTo(0.2, 12);
    expect(test.sd).toBeCloseTo(0.1 * Math.SQRT2, 12);
    expect(test.n).toBe(2);
    expect(pairedTest(bySeed([0.6]), new Map([[7, 1]]))).toBeNull();
  });

  it('says nothing of one seed', () => {
    expect(pairedTest(bySeed([0.6]), bySeed([0.5]))).toMatchObject({
      n: 1,
      p: null,
      interval: null,
    });
  });

  it('flips signs where the differences do not vary', () => {
    expect(pairedTest(bySeed([0.6, 0.7, 0.8]), bySeed([0.5, 0.6, 0.7]))).toMatchObject({
      p: 0.25,
      interval: null,
    });
    expect(pairedTest(bySeed([0.6, 0.7]), bySeed([0.6, 0.7]))!.p).toBe(1);
  });

  it('rejects zero exactly where the interval leaves it out, whichever way round', () => {
    fc.assert(
      fc.property(scores, scores, (a, b) => {
        const n = Math.min(a.length, b.length);
        const [one, other] = [bySeed(a.slice(0, n)), bySeed(b.slice(0, n))];
        const test = pairedTest(one, other)!;
        const back = pairedTest(other, one)!;
        expect(back.p).toBeCloseTo(test.p!, 9);
        if (test.interval === null || Math.abs(test.p! - 0.05) < 1e-9) return;
        expect(test.p! < 0.05).toBe(test.interval[0] > 0 || test.interval[1] < 0);
      }),
    );
  });
});

describe('holm', () => {
  it('multiplies the smallest by all, the next by one less, and never turns the order round', () => {
    const found = holm([0.01, 0.04, 0.03, 0.005, 0.5]);
    for (const [k, value] of [0.04, 0.09, 0.09, 0.025, 0.5].entries())
      expect(found[k]).toBeCloseTo(value, 12);
    expect(holm([])).toEqual([]);
  });

  it('is at least the value, at most Bonferroni’s, and keeps the order', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 9 }),
        (values) => {
          const found = holm(values);
          values.forEach((p, k) => {
            expect(found[k]!).toBeGreaterThanOrEqual(p);
            expect(found[k]!).toBeLessThanOrEqual(Math.min(1, p * values.length) + 1e-15);
            values.forEach((q, j) => {
              if (q > p) expect(found[j]!).toBeGreaterThanOrEqual(found[k]!);
            });
          });
        },
      ),
    );
  });

  it('does not count comparisons that could not be made', () => {
    const corrected = correctTogether(
      new Map([
        ['a', pairedTest(bySeed([0.6, 0.7, 0.8]), bySeed([0.5, 0.6, 0.7]))],
        ['b', pairedTest(bySeed([0.6]), bySeed([0.5]))],
        ['c', null],
      ]),
    );
    expect(corrected.get('a')).toMatchObject({ p: 0.25, corrected: 0.25, comparisons: 1 });
    expect(corrected.get('b')).toMatchObject({ corrected: null });
    expect(corrected.get('c')).toBeNull();
  });
});

describe('seedsNeeded', () => {
  // By scipy.stats.nct: the least n with power .8.
  it.each([
    [0.1, 787],
    [0.3, 90],
    [0.5, 34],
    [1, 10],
    [-2, 5],
    [5, 3],
  ])('is for an effect of %d standard deviations %d', (mean, n) => {
    expect(seedsNeeded({ mean, sd: 1, comparisons: 1 })).toBe(n);
    expect(seedsNeeded({ mean: mean * 0.01, sd: 0.01, comparisons: 1 })).toBe(n);
  });

  it.each([
    [0.5, 2, 41],
    [1, 6, 16],
    [2, 12, 8],
  ])('is for an effect of %d among %d comparisons %d', (mean, comparisons, n) => {
    expect(seedsNeeded({ mean, sd: 1, comparisons })).toBe(n);
  });

  it('is not known without a spread, and ends somewhere', () => {
    expect(seedsNeeded({ mean: 1, sd: null, comparisons: 1 })).toBeNull();
    expect(seedsNeeded({ mean: 0, sd: 1, comparisons: 1 })).toBeNull();
    expect(seedsNeeded({ mean: 1e-5, sd: 1, comparisons: 1 })).toBeNull();
  });
});
