import fc from 'fast-check';
import type { Subject } from './subject.ts';

/** What is wrong with a case, in words; undefined where nothing is. */
export type Violation = string | undefined;

class Counterexample extends Error {
  override name = 'Counterexample';
}

/** Number of cases searched for a counterexample to a denied property. */
const searched = 1000;

/** Fails, with the smallest case and the seed, where a case violates a property. */
export function expectAlways<Case>(
  { runs, seed }: Subject,
  cases: fc.Arbitrary<Case>,
  violation: (given: Case) => Violation,
): void {
  fc.assert(propertyOf(cases, violation), parameters(runs, seed));
}

/** Fails where no case violates a property that is said not to hold, or where the strategy throws. */
export function expectCounterexample<Case>(
  { seed }: Subject,
  cases: fc.Arbitrary<Case>,
  violation: (given: Case) => Violation,
  claim: string,
): void {
  const details = fc.check(propertyOf(cases, violation), {
    ...parameters(searched, seed),
    endOnFailure: true,
  });
  if (!details.failed) {
    throw new Error(
      `There should be a counterexample, as the strategy is said not to ${claim}. Found none among ${details.numRuns} ` +
        `cases (seed ${details.seed}): declare the property, or set K where it holds for some numbers of objectives only.`,
    );
  }
  if (details.errorInstance instanceof Counterexample) return;
  throw new Error(fc.defaultReportMessage(details), { cause: details.errorInstance });
}

function propertyOf<Case>(
  cases: fc.Arbitrary<Case>,
  violation: (given: Case) => Violation,
): fc.IProperty<[Case]> {
  return fc.property(cases, (given) => {
    const found = violation(given);
    if (found !== undefined) throw new Counterexample(found);
  });
}

function parameters(numRuns: number, seed: number | undefined): { numRuns: number; seed?: number } {
  return seed === undefined ? { numRuns } : { numRuns, seed };
}
