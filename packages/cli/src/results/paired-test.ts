import { type Estimate, estimate } from '../shared/statistics.ts';
import { powerOfT, twoSidedP, twoSidedQuantile } from '../shared/student-t.ts';

/** Differences between two strategies, seed by seed, and what can be said of them. */
export interface PairedTest extends Estimate {
  /** Confidence interval of the mean, 95 %, by Student's t; null for one seed, or where the differences do not vary. */
  readonly interval: readonly [number, number] | null;
  /**
   * p value that the differences are centred on zero, two-sided: by the paired t test, or where the differences do not vary,
   * by the exact test that flips their signs; null for one seed.
   */
  readonly p: number | null;
  /** `p` after Holm's correction for all comparisons that were made together. */
  readonly corrected: number | null;
  /** How many comparisons that were. */
  readonly comparisons: number;
}

/** What results are called significant below. */
export const significance = 0.05;
/** The power that a number of seeds is asked to give. */
export const wantedPower = 0.8;
/** More seeds than this are not counted. */
export const mostSeeds = 10_000;

/**
 * Compares two strategies seed by seed: what the seeds have in common (weights, order, data) cancels. Null where no seed is
 * common.
 *
 * @param scores - by seed
 * @param reference - by seed
 */
export function pairedTest(
  scores: ReadonlyMap<number, number>,
  reference: ReadonlyMap<number, number>,
): PairedTest | null {
  const differences = Array.from(scores, ([seed, score]) => {
    const other = reference.get(seed);
    return other === undefined ? null : score - other;
  });
  const found = estimate(differences);
  if (found === null) return null;
  return { ...found, ...significanceOf(found), corrected: null, comparisons: 0 };
}

function significanceOf({ mean, sd, n }: Estimate): Pick<PairedTest, 'interval' | 'p'> {
  if (sd === null) return { interval: null, p: null };
  // Differences that are the same but for rounding have no spread to measure them by.
  if (sd <= 1e-9 * Math.abs(mean) || sd < 1e-12) {
    return { interval: null, p: Math.abs(mean) < 1e-12 ? 1 : 2 ** (1 - n) };
  }
  const error = sd / Math.sqrt(n);
  const reach = twoSidedQuantile(significance, n - 1) * error;
  return { interval: [mean - reach, mean + reach], p: twoSidedP(mean / error, n - 1) };
}

/**
 * The p values after Holm's step-down correction, in their order: the k-th smallest of m is multiplied by m − k + 1, none
 * is less than one before it, and none more than 1.
 *
 * @see Holm, "A Simple Sequentially Rejective Multiple Test Procedure", Scandinavian Journal of Statistics 6, 1979
 */
export function holm(values: readonly number[]): number[] {
  const order = values.map((_, index) => index).sort((a, b) => values[a]! - values[b]!);
  const corrected = new Array<number>(values.length);
  let before = 0;
  order.forEach((index, rank) => {
    before = Math.max(before, Math.min(1, values[index]! * (values.length - rank)));
    corrected[index] = before;
  });
  return corrected;
}

/** Tests that are made together, with their p values corrected for their number; those without a p value do not count. */
export function correctTogether(
  tests: ReadonlyMap<string, PairedTest | null>,
): ReadonlyMap<string, PairedTest | null> {
  const tested = [...tests].flatMap(([name, test]) =>
    test?.p === null || test === null ? [] : [{ name, p: test.p }],
  );
  const corrected = holm(tested.map(({ p }) => p));
  const byName = new Map(tested.map(({ name }, index) => [name, corrected[index]!]));
  return new Map(
    Array.from(tests, ([name, test]) => [
      name,
      test && { ...test, corrected: byName.get(name) ?? null, comparisons: tested.length },
    ]),
  );
}

/**
 * The least number of seeds at which a paired t test would find a difference of this size and spread with power .8, p < .05
 * after a correction for all comparisons that are made together (Bonferroni's, which is Holm's for the smallest p).
 *
 * @returns null where that takes more than {@link mostSeeds} seeds, or the spread is not known
 */
export function seedsNeeded({
  mean,
  sd,
  comparisons,
}: Pick<PairedTest, 'mean' | 'sd' | 'comparisons'>): number | null {
  if (sd === null || sd === 0 || mean === 0) return null;
  const level = significance / Math.max(1, comparisons);
  const enough = (n: number): boolean => powerOfT(mean / sd, n, level) >= wantedPower;
  if (!enough(mostSeeds)) return null;
  let [few, many] = [1, mostSeeds];
  while (many - few > 1) {
    const middle = Math.floor((few + many) / 2);
    if (enough(middle)) many = middle;
    else few = middle;
  }
  return many;
}
