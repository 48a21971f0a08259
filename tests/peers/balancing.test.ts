import { createBalancing, g2d, plugins, umt } from '@multigrad/balancing';
import { own } from '@multigrad/core/strategy';
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

/** Methods whose teachers are part of the record. */
const taughtMethods = { g2d, umt };

/** Of the largest number of a weight tensor, and of a loss. */
const tolerance = 1e-6;

it.each(recordedMethods)('at least five trainings of ten steps by %s are recorded', (name) => {
  const trainings = recordedTrainings(name);
  expect(trainings.length).toBeGreaterThanOrEqual(5);
  for (const { found } of trainings) expect(found.losses.length).toBeGreaterThanOrEqual(10);
  const { serves } = plugins.find((one) => one.name === name)!;
  const counts = new Set(trainings.map(({ modalities = 2 }) => modalities));
  expect(counts).toEqual(new Set(serves.startsWith('two modalities') ? [2] : [2, 3]));
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
          const taught = own(taughtMethods, name);
          const method =
            taught === undefined
              ? createBalancing(plugin, options)
              : taught(training.options, recordedTeachers(training));
          const found = await trainRecorded(method, training);
          const expected = training.found;
          expect(apart(found.losses.flat(), expected.losses.flat())).toBeLessThan(tolerance);
          expectWeights(found.weights, expected.weights);
          if (expected.evaluated !== undefined) {
            expect(apart(found.evaluated!, expected.evaluated)).toBeLessThan(tolerance);
          }
          if (expected.weights_after !== undefined) {
            expectWeights(found.weights_after!, expected.weights_after);
          }
          expectState(found.state, expected.state ?? {});
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

function expectWeights(
  found: Readonly<Record<string, readonly number[]>>,
  expected: Readonly<Record<string, readonly number[]>>,
): void {
  expect(Object.keys(found).sort()).toEqual(Object.keys(expected).sort());
  for (const [variable, values] of Object.entries(expected)) {
    expect(apart(found[variable]!, values), variable).toBeLessThan(tolerance);
  }
}

/** Expects a state to have what is recorded of it: numbers within the tolerance, all else as it is. */
function expectState(found: unknown, expected: unknown): void {
  if (typeof expected === 'number') {
    expect(apart([found as number], [expected])).toBeLessThan(tolerance);
  } else if (typeof expected === 'object' && expected !== null) {
    for (const [key, value] of Object.entries(expected)) {
      expectState((found as Readonly<Record<string, unknown>>)[key], value);
    }
  } else {
    expect(found).toEqual(expected);
  }
}
