import { anyRows, independentRows, type Matrices, steadySteps } from '../arbitraries.ts';
import type { Violation } from '../cases.ts';
import { dot, norm, sizeOf } from '../numbers.ts';
import { scoped } from '../scoped.ts';
import { lastOf, type Step } from '../steps.ts';
import type { Subject } from '../subject.ts';
import type { Tests } from '../tests.ts';

/** Tests that no objective gets worse. */
export function nonConflicting(subject: Subject): Tests {
  const { properties, least, most, create, tolerance } = subject;
  const violation = (steps: readonly Step[]): Violation => {
    const { rows, objectives } = steps.at(-1)!;
    const result = lastOf(create(), steps);
    const size = sizeOf(result, rows);
    for (const [k, row] of rows.entries()) {
      const gain = dot(result.update, row);
      if (gain >= -tolerance * size * norm(row)) continue;
      return `The update [${result.update.join(', ')}] has the inner product ${gain} with the gradient of ${objectives[k]!}.`;
    }
    return undefined;
  };
  const cases = (matrices: Matrices, tall: boolean): ReturnType<typeof steadySteps> =>
    steadySteps({ matrices, least, most, tall });
  return scoped(subject, properties.nonConflicting, {
    claim: 'conflict with no gradient',
    everywhere: cases(anyRows, false),
    independent: cases(independentRows, true),
    violation,
  });
}
