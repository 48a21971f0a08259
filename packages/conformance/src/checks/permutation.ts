import fc from 'fast-check';
import { anyRows, independentRows, type Matrices, steadySteps } from '../arbitraries.ts';
import type { Violation } from '../cases.ts';
import { distance, sizeOf } from '../numbers.ts';
import { isIndependent } from '../arbitraries.ts';
import { scoped } from '../scoped.ts';
import { lastOf, type Step } from '../steps.ts';
import type { Subject } from '../subject.ts';
import type { Tests } from '../tests.ts';

/** Tests that the order of objectives makes no difference, even if it changes from step to step. */
export function permutation(subject: Subject): Tests {
  const { properties, least, most, create, tolerance } = subject;
  type Case = readonly [steps: Step[], orders: number[][]];
  const violation = ([steps, orders]: Case): Violation => {
    const step = steps.at(-1)!;
    const order = orders.at(-1)!;
    const plain = lastOf(create(), steps);
    const other = lastOf(
      create(),
      steps.map((each, at) => reordered(each, orders[at]!)),
    );
    const size = sizeOf(plain, step.rows);
    if (!(distance(plain.update, other.update) <= tolerance * size)) {
      return `The update is [${plain.update.join(', ')}], with objectives in order [${order.join(', ')}] [${other.update.join(', ')}].`;
    }
    if (!isIndependent(step.rows)) return undefined;
    const back = order.map((k) => plain.weights[k]!);
    // Weights are compared times the lengths of their gradients: small weights of long gradients count as much.
    const lengths = order.map((k) => Math.hypot(...step.rows[k]!));
    const moved = Math.hypot(
      ...back.map((weight, at) => (weight - other.weights[at]!) * lengths[at]!),
    );
    if (moved <= tolerance * size) return undefined;
    return `The weights are [${back.join(', ')}] moved along, and [${other.weights.join(', ')}] found.`;
  };
  const cases = (matrices: Matrices, tall: boolean): fc.Arbitrary<Case> =>
    steadySteps({ matrices, least: Math.max(2, least), most: Math.max(2, most), tall }).chain(
      (steps) => {
        const places = steps[0]!.objectives.map((_, k) => k);
        const order = fc.shuffledSubarray(places, { minLength: places.length });
        return fc.tuple(
          fc.constant(steps),
          fc.array(order, { minLength: steps.length, maxLength: steps.length }),
        );
      },
    );
  return scoped(subject, properties.permutation, {
    claim: 'leave the update as it is under another order of objectives',
    everywhere: cases(anyRows, false),
    independent: cases(independentRows, true),
    violation,
  });
}

function reordered({ objectives, rows, losses, lossesAfter }: Step, order: number[]): Step {
  return {
    objectives: order.map((k) => objectives[k]!),
    rows: order.map((k) => rows[k]!),
    losses: order.map((k) => losses[k]!),
    lossesAfter: order.map((k) => lossesAfter[k]!),
  };
}
