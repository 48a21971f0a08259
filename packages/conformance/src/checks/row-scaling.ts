import fc from 'fast-check';
import { anyRows, independentRows, type Matrices, steadySteps } from '../arbitraries.ts';
import type { Violation } from '../cases.ts';
import { norm, sizeOf } from '../numbers.ts';
import { scoped } from '../scoped.ts';
import { lastOf, type Step } from '../steps.ts';
import type { Subject } from '../subject.ts';
import type { Tests } from '../tests.ts';

/** Tests factors on the gradients: the update with factors c + d is the one with c plus the one with d. */
export function rowScaling(subject: Subject): Tests {
  const { properties, least, most, create, tolerance } = subject;
  type Case = readonly [steps: Step[], c: number[], d: number[]];
  const violation = ([steps, c, d]: Case): Violation => {
    const [one, other, both] = [c, d, c.map((value, k) => value + d[k]!)].map((factors) => {
      const scaled = steps.map((step) => scaledBy(step, factors));
      const result = lastOf(create(), scaled);
      return { update: result.update, size: sizeOf(result, scaled.at(-1)!.rows) };
    });
    const gap = Array.from(
      both!.update,
      (value, at) => value - one!.update[at]! - other!.update[at]!,
    );
    if (norm(gap) <= tolerance * (one!.size + other!.size + both!.size)) return undefined;
    return `The updates are [${one!.update.join(', ')}] and [${other!.update.join(', ')}], for the sum of the factors [${both!.update.join(', ')}].`;
  };
  const cases = (matrices: Matrices, tall: boolean): fc.Arbitrary<Case> =>
    steadySteps({ matrices, least, most, tall }).chain((steps) => {
      const count = steps[0]!.objectives.length;
      const factors = fc.array(
        fc.integer({ min: 1, max: 40 }).map((value) => value / 8),
        { minLength: count, maxLength: count },
      );
      return fc.tuple(fc.constant(steps), factors, factors);
    });
  return scoped(subject, properties.linearUnderRowScaling, {
    claim: 'be linear in factors on the gradients',
    everywhere: cases(anyRows, false),
    independent: cases(independentRows, true),
    violation,
  });
}

function scaledBy(step: Step, factors: readonly number[]): Step {
  return { ...step, rows: step.rows.map((row, k) => row.map((value) => value * factors[k]!)) };
}
