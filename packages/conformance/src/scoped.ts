import type { Scope } from '@multigrad/core/strategy';
import type fc from 'fast-check';
import { expectAlways, expectCounterexample, type Violation } from './cases.ts';
import type { Subject } from './subject.ts';
import type { Tests } from './tests.ts';

/** A property, with the cases in which it may hold. */
export interface ScopedProperty<Case> {
  /** What a strategy with the property does, as an infinitive, for titles and messages. */
  readonly claim: string;
  readonly everywhere: fc.Arbitrary<Case>;
  /** Cases of linearly independent gradients. */
  readonly independent: fc.Arbitrary<Case>;
  readonly violation: (given: Case) => Violation;
}

/** Tests of a declared property: it holds where it should, and fails where it should not hold. */
export function scoped<Case>(
  subject: Subject,
  scope: Scope,
  { claim, everywhere, independent, violation }: ScopedProperty<Case>,
): Tests {
  const title = claim.startsWith('be ') ? `is ${claim.slice(3)}` : claim.replace(/^\w+/, '$&s');
  const denial = claim.startsWith('be ') ? `is not ${claim.slice(3)}` : `does not ${claim}`;
  if (scope === true) {
    return { [title]: () => expectAlways(subject, everywhere, violation) };
  }
  if (scope === 'independent') {
    return {
      [`${title}, where gradients are independent`]: () =>
        expectAlways(subject, independent, violation),
      [`${denial} where they are not`]: () =>
        expectCounterexample(subject, everywhere, violation, claim),
    };
  }
  return {
    [`${denial}: ${scope.not}`]: () => expectCounterexample(subject, independent, violation, claim),
  };
}
