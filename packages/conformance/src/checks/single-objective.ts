import { randomRows, steadySteps } from '../arbitraries.ts';
import { expectAlways, expectCounterexample, type Violation } from '../cases.ts';
import { distance, norm } from '../numbers.ts';
import { lastOf, type Step } from '../steps.ts';
import type { Subject } from '../subject.ts';
import type { Tests } from '../tests.ts';

/** Tests the update of a group with one objective. */
export function singleObjective(subject: Subject): Tests {
  const { properties, create, tolerance, minimum } = subject;
  const { single } = properties;
  // The strategy refuses a group of one objective, which the checks of the contract test.
  if (minimum > 1) return {};
  const factorOf = (step: Step): number => {
    if (typeof single === 'number') return single;
    if (typeof single === 'object') return 1;
    return single({ length: norm(step.rows[0]!), loss: step.losses[0]! });
  };
  const violation = (steps: readonly Step[]): Violation => {
    const step = steps.at(-1)!;
    const [row] = step.rows;
    const { update } = lastOf(create(), steps);
    const factor = factorOf(step);
    const expected = row!.map((value) => factor * value);
    if (distance(update, expected) <= tolerance * norm(expected)) return undefined;
    return `The update is [${update.join(', ')}]; ${factor} times the gradient is [${expected.join(', ')}].`;
  };
  const cases = (steps: number): ReturnType<typeof steadySteps> =>
    steadySteps({ matrices: randomRows, least: 1, most: 1, steps }).filter((run) =>
      run.every(({ rows }) => norm(rows[0]!) > 0),
    );
  if (typeof single === 'object') {
    return {
      [`does not keep the plain gradient of one objective: ${single.not}`]: () => {
        expectCounterexample(subject, cases(3), violation, 'keep the gradient of one objective');
      },
    };
  }
  return typeof single === 'number'
    ? {
        [`has ${single === 1 ? 'the plain gradient' : `${single} times the gradient`} of one objective`]:
          () => {
            expectAlways(subject, cases(3), violation);
          },
      }
    : {
        'has its own factor on the gradient of one objective': () => {
          expectAlways(subject, cases(1), violation);
        },
      };
}
