import {
  expectConstantMemory,
  testedDevices,
  useDevice,
  withSeededRandom,
} from '@multigrad/test-support';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { installChainedOperations } from '../../packages/backends/src/registry/chained-operations.ts';
import { generative } from './generative.ts';
import { picturesPrograms } from './pictures.ts';
import type { Program } from './program.ts';
import { recurrent } from './recurrent.ts';
import { reinforcement } from './reinforcement.ts';
import { tables } from './tables.ts';
import { transformer } from './transformer.ts';

// Training loops as TensorFlow.js's published examples have them, written anew on small made data: with our kernels and
// gradients on every backend, losses as on TensorFlow.js's own cpu backend.

const programs: readonly Program[] = [
  ...tables,
  ...picturesPrograms,
  ...recurrent,
  ...transformer,
  ...generative,
  ...reinforcement,
];

/** Of float32 sums in another order, through a few updates. */
const tolerance = 1e-4;

const expected = new Map<string, number[]>();

beforeAll(async () => {
  await tf.setBackend('cpu');
  installChainedOperations();
  for (const { name, run, onStock } of programs) {
    expected.set(name, await withSeededRandom(1, onStock ?? run));
  }
});

describe.each(testedDevices())('programs on $name', (device) => {
  beforeAll(async () => {
    await useDevice(device);
  });

  it.each(programs)('$name', async ({ name, run }) => {
    const losses = await expectConstantMemory(() => withSeededRandom(1, run));
    const reference = expected.get(name)!;
    expect(losses).toHaveLength(reference.length);
    // Training that does nothing would agree as well.
    expect(new Set(losses).size).toBeGreaterThan(losses.length / 2);
    losses.forEach((loss, i) => {
      const difference = Math.abs(loss - reference[i]!) / Math.max(Math.abs(reference[i]!), 0.1);
      expect(difference, `loss ${i}: ${loss}, expected ${reference[i]}`).toBeLessThan(tolerance);
    });
  });
});
