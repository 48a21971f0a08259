import fc from 'fast-check';
import { anyRows, independentRows, steadySteps } from '../arbitraries.ts';
import { expectAlways, expectCounterexample, type Violation } from '../cases.ts';
import { distance, sizeOf } from '../numbers.ts';
import { lastOf, type Step } from '../steps.ts';
import type { Subject } from '../subject.ts';
import type { Tests } from '../tests.ts';

/** Tests that gradients times s give the update times s to the power of the degree. */
export function homogeneity(subject: Subject): Tests {
  const { properties, least, most, create, tolerance } = subject;
  const degree = properties.homogeneity;
  const expected = typeof degree === 'number' ? degree : 1;
  const violation = ([steps, power]: readonly [Step[], number]): Violation => {
    const plain = lastOf(create(), steps);
    const scaled = lastOf(
      create(),
      steps.map((step) => times(step, 2 ** power)),
    );
    const factor = 2 ** (power * expected);
    const apart = distance(
      Array.from(scaled.update, (value) => value / factor),
      plain.update,
    );
    if (apart <= tolerance * sizeOf(plain, steps.at(-1)!.rows)) return undefined;
    return `The update is [${plain.update.join(', ')}], and divided by ${factor} [${Array.from(scaled.update, (value) => value / factor).join(', ')}] for gradients times 2^${power}.`;
  };
  const ordinary = steadySteps({ matrices: anyRows, least, most });
  const everyday = fc.tuple(ordinary, fc.integer({ min: -50, max: 50 }));
  if (typeof degree !== 'number') {
    return {
      [`is not homogeneous of degree 1: ${degree.not}`]: () => {
        expectCounterexample(subject, everyday, violation, 'be homogeneous of degree 1');
      },
    };
  }
  // Independent rows only: 1e150 apart from each other, squares would leave float64.
  const extreme = fc.tuple(
    steadySteps({ matrices: independentRows, least, most, tall: true }),
    fc.constantFrom(-480, 480),
  );
  return {
    [`is homogeneous of degree ${round(degree)}, from 1e-15 to 1e15`]: () => {
      expectAlways(subject, everyday, violation);
    },
    [`is homogeneous of degree ${round(degree)} for gradients as long as 1e-145 and 1e145`]: () => {
      expectAlways(subject, extreme, violation);
    },
  };
}

function times(step: Step, factor: number): Step {
  return { ...step, rows: step.rows.map((row) => row.map((value) => value * factor)) };
}

function round(value: number): number {
  return Number(value.toPrecision(4));
}
