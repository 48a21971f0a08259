import { createBalancing, plugins, umt } from '@multigrad/balancing';
import { expectConstantMemory, startTestedBackend, testedBackends } from '@multigrad/test-support';
import '@tensorflow/tfjs-backend-cpu';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  recordedMethods,
  recordedTeachers,
  recordedTrainings,
  trainRecorded,
} from './balancing/network.ts';

// Balancing methods beside float64: scripts/check-peers/balancing works each of them out from its equations, with no other
// library than autograd, and trains the same small network.

/** Of the largest number of a weight tensor, and of a loss. */
const tolerance = 1e-6;

it.each(recordedMethods)('at least five trainings of ten steps by %s are recorded', (name) => {
  const trainings = recordedTrainings(name);
  expect(trainings.length).toBeGreaterThanOrEqual(5);
  for (const { found } of trainings) expect(found.losses.length).toBeGreaterThanOrEqual(10);
  expect(new Set(trainings.map(({ modalities = 2 }) => modalities))).toEqual(new Set([2, 3]));
});

describe.each(testedBackends())('on %s', (backend) => {
  beforeAll(async () => {
    await startTestedBackend(backend);
  });

  describe.each(recordedMethods)('%s', (name) => {
    const plugin = plugins.find((one) => one.name === name)!;

    it.each(recordedTrainings(name).map((training, at) => [at, training] as const))(
      'trains case %i as float64 does',
      async (_, training) => {
        const texts = Object.entries(training.options).map(
          ([key, value]) => [key, String(value)] as const,
        );
        await expectConstantMemory(async () => {
          const options = Object.fromEntries(texts);
          const method =
            name === 'umt'
              ? umt(training.options, recordedTeachers(training))
              : createBalancing(plugin, options);
          const found = await trainRecorded(method, training);
          const expected = training.found;
          expect(apart(found.losses.flat(), expected.losses.flat())).toBeLessThan(tolerance);
          expect(Object.keys(found.weights).sort()).toEqual(Object.keys(expected.weights).sort());
          for (const [variable, values] of Object.entries(expected.weights)) {
            expect(apart(found.weights[variable]!, values), variable).toBeLessThan(tolerance);
          }
        });
      },
    );
  });
});

/** The largest difference, relative to the largest number or 1. */
function apart(found: readonly number[], expected: readonly number[]): number {
  const largest = (values: readonly number[]): number => Math.max(...values.map(Math.abs));
  expect(found.length).toBe(expected.length);
  return largest(expected.map((value, i) => value - found[i]!)) / Math.max(1, largest(expected));
}
