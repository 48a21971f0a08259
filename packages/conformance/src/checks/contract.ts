import {
  addGramians,
  assertPlugin,
  assertStrategy,
  type Gramian,
  gramianOf,
  groupGradients,
  type Json,
  MultigradError,
} from '@multigrad/core/strategy';
import fc from 'fast-check';
import { anyRows, extremeRows, losses, randomRows, steadySteps } from '../arbitraries.ts';
import { expectAlways, type Violation } from '../cases.ts';
import { check } from '../check.ts';
import { begin, needsAt, type Step, answers, takeAll, tensorNames } from '../steps.ts';
import type { Subject } from '../subject.ts';
import type { Tests } from '../tests.ts';

/** Tests of what every strategy has to do, whatever its method. */
export function contract(subject: Subject): Tests {
  const { plugin, create, least, most, minimum } = subject;
  return {
    'is a plugin that makes strategies of its name': () => {
      assertPlugin(plugin);
      const strategy: unknown = plugin.create();
      assertStrategy(strategy);
      check(
        strategy.name === plugin.name,
        `The strategy should have the plugin's name, ${plugin.name}. Found ${strategy.name}.`,
      );
    },
    // `answers` throws where something is not finite, is missing or was not asked for.
    'answers zero, duplicated, opposite, dependent and extreme gradients with finite numbers':
      () => {
        const cases = steadySteps({ matrices: extremeRows, least, most });
        expectAlways(subject, cases, (steps) => answers(create(), steps));
      },
    'answers 64 objectives': () => {
      const cases = steadySteps({ matrices: randomRows, least: 64, most: 64, steps: 1 });
      expectAlways({ ...subject, runs: 2 }, cases, (steps) => answers(create(), steps));
    },
    'leaves what it is shown and its state as they are': () => {
      const cases = steadySteps({ matrices: anyRows, least, most, steps: 1 });
      expectAlways(subject, fc.tuple(cases, losses(most)), ([[step]]) => untouched(subject, step!));
    },
    ...(minimum === 1
      ? {}
      : {
          [`refuses fewer than ${minimum} objectives, as unsupported`]: () => {
            const cases = steadySteps({
              matrices: randomRows,
              least: 1,
              most: minimum - 1,
              steps: 1,
            });
            expectAlways(subject, cases, (steps) => {
              try {
                takeAll(create(), steps);
              } catch (error) {
                if (MultigradError.isInstance(error) && error.code === 'unsupported') {
                  return undefined;
                }
                return `It threw ${String(error)}.`;
              }
              return 'It gave an answer.';
            });
          },
        }),
  };
}

/** Finds what a strategy changed in a step's view or in its state. */
function untouched({ create }: Subject, { objectives, rows, losses: values }: Step): Violation {
  const strategy = create();
  const { state } = begin(strategy, [{ objectives, rows, losses: values, lossesAfter: values }]);
  freeze(state);
  const needs = needsAt(strategy, state);
  const { batches = 1, memory = false } = needs;
  const gramian = gramianOf(rows);
  const names = tensorNames;
  // Two tensors with the same gradients: the parts add up to something consistent.
  const parts = new Map(names.map((name): [string, Gramian] => [name, gramianOf(rows)]));
  const stacked = gramianOf(Array.from({ length: batches + (memory ? 1 : 0) }, () => rows).flat());
  const whole = needs.gradients === 'tensor-gramians' ? addGramians(parts.values()) : gramian;
  const shown = {
    objectives: Object.freeze([...objectives]),
    gramian: whole,
    tensorGramians: parts,
    stacked,
    losses: Float64Array.from(values),
  };
  const before = JSON.stringify([...numbersOf(shown)]);
  strategy.integrate(
    groupGradients({
      strategy: strategy.name,
      objectives: shown.objectives,
      ...(needs.gradients === 'none' || needs.gradients === 'rows' ? {} : { gramian: whole }),
      ...(needs.gradients === 'tensor-gramians' ? { tensorGramians: parts } : {}),
      ...(batches > 1 || memory ? { stacked } : {}),
      ...(needs.losses?.startsWith('now') === true ? { losses: shown.losses } : {}),
    }),
    state,
  );
  const after = JSON.stringify([...numbersOf(shown)]);
  return before === after ? undefined : `It was shown ${before} and left ${after}.`;
}

function numbersOf(shown: {
  readonly gramian: Gramian;
  readonly tensorGramians: ReadonlyMap<string, Gramian>;
  readonly stacked: Gramian;
  readonly losses: Float64Array;
}): number[][] {
  const gramians = [shown.gramian, ...shown.tensorGramians.values(), shown.stacked];
  return [...gramians.map(({ values }) => [...values]), [...shown.losses]];
}

/** Freezes a state, so that writing to it throws. */
function freeze(value: Json): void {
  if (typeof value !== 'object' || value === null) return;
  for (const part of Object.values(value)) freeze(part);
  Object.freeze(value);
}
