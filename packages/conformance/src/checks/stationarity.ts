import { anyRows, stationaryRows, steadySteps } from '../arbitraries.ts';
import { expectAlways, expectCounterexample, type Violation } from '../cases.ts';
import { norm } from '../numbers.ts';
import { lastOf, type Step } from '../steps.ts';
import type { Subject } from '../subject.ts';
import type { Tests } from '../tests.ts';

/** Tests the update where a combination of the gradients with positive weights is zero. */
export function stationarity(subject: Subject): Tests {
  const { properties, least, most, create, tolerance } = subject;
  const violation = (steps: readonly Step[]): Violation => {
    const { update } = lastOf(create(), steps);
    const size = steps.at(-1)!.rows.reduce((sum, row) => sum + norm(row), 0);
    if (norm(update) <= tolerance * size) return undefined;
    return `The update is [${update.join(', ')}].`;
  };
  // Any steps may come before the stationary one.
  const cases = steadySteps({
    matrices: anyRows,
    least: Math.max(2, least),
    most: Math.max(2, most),
  }).chain((steps) => {
    const last = steps.at(-1)!;
    return stationaryRows(last.rows.length, last.rows[0]!.length).map((rows) => [
      ...steps.slice(0, -1),
      { ...last, rows },
    ]);
  });
  return properties.stationary === 'zero'
    ? {
        'stands still at Pareto stationary gradients': () => {
          expectAlways(subject, cases, violation);
        },
      }
    : {
        'moves on at some Pareto stationary gradients': () => {
          expectCounterexample(subject, cases, violation, 'move at Pareto stationary gradients');
        },
      };
}
