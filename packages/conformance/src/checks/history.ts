import type { Json } from '@multigrad/core/strategy';
import { anyRows, randomRows, steadySteps, varyingSteps } from '../arbitraries.ts';
import { expectAlways, expectCounterexample } from '../cases.ts';
import { difference } from '../numbers.ts';
import { answers, begin, type Step, take, takeAll, type Taken } from '../steps.ts';
import type { Subject } from '../subject.ts';
import type { Tests } from '../tests.ts';

/** Tests of what every strategy has to do from step to step. */
export function history(subject: Subject): Tests {
  const { plugin, create, least, most, isDefault } = subject;
  const many = steadySteps({ matrices: randomRows, least, most, steps: 5 });
  return {
    'goes on where objectives are dropped, return and change places': () => {
      expectAlways(subject, varyingSteps(subject), (steps) => answers(create(), steps));
    },
    'is deterministic: a second run, and a second strategy, give the same bits': () => {
      expectAlways(subject, varyingSteps(subject, anyRows), (steps) => {
        const strategy = create();
        const first = takeAll(strategy, steps);
        return (
          difference(takeAll(strategy, steps), first) ?? difference(takeAll(create(), steps), first)
        );
      });
    },
    'resumes from a state that went through JSON with the same bits': () => {
      expectAlways(subject, varyingSteps(subject), (steps) =>
        difference(resumed(subject, steps), takeAll(create(), steps)),
      );
    },
    ...(isDefault && 'seed' in plugin.options
      ? {
          'draws otherwise with another seed': () => {
            const seeded = (seed: number): ReturnType<typeof create> => plugin.create({ seed });
            expectCounterexample(
              subject,
              many,
              (steps) => difference(takeAll(seeded(1), steps), takeAll(seeded(2), steps)),
              'give the same numbers with every seed',
            );
          },
        }
      : {}),
  };
}

/** Takes the steps, each with a new strategy and a state that went through JSON, as from a checkpoint. */
function resumed({ create }: Subject, steps: readonly Step[]): Taken[] {
  let progress = begin(create(), steps);
  return steps.map((step) => {
    const state = JSON.parse(JSON.stringify(progress.state)) as unknown as Json;
    const taken = take(create(), step, { ...progress, state });
    progress = taken.next;
    return taken;
  });
}
