import { expectConstantMemory, startTestedBackend, testedBackends } from '@multigrad/test-support';
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, it } from 'vitest';
import { TensorBag } from '../tape/ownership.ts';
import { Tape } from '../tape/tape.ts';
import { checkProbes, startGramiansOfSamples } from './gramians-of-samples.ts';
import { finishSampleGramian, type SampleWay } from './sample-gramian.ts';
import {
  convolutionPaddedByNumber,
  type SampleNetwork,
  sampleNetworks,
} from './testing/sample-networks.ts';

/** Gramians by variable as the ghost products give them, and how each was computed. */
async function gramiansOf(
  { losses, variables }: SampleNetwork,
  way: SampleWay | null = null,
): Promise<{ readonly gramians: Float64Array[]; readonly ways: (SampleWay | null)[] }> {
  const bag = new TensorBag();
  const tape = Tape.record(losses);
  bag.keep(tape.value);
  try {
    const { gramians, probes } = startGramiansOfSamples(tape, tape.value, variables, bag, 1, way);
    checkProbes(
      probes,
      await Promise.all(probes.map(async ({ packed }) => packed.data<'float32'>())),
    );
    const values = await Promise.all(
      gramians.map(
        async (one) => finishSampleGramian(one!, await one!.packed.data<'float32'>(), 1).values,
      ),
    );
    return { gramians: values, ways: gramians.map((one) => one?.way ?? null) };
  } finally {
    tape.dispose();
    bag.dispose();
  }
}

/** Gramians by variable from the gradients of K backward passes, summed in float64. */
async function explicitGramians({ losses, variables }: SampleNetwork): Promise<Float64Array[]> {
  const tape = Tape.record(losses);
  const batch = tape.value.size;
  const paths = tape.paths(variables);
  const rows: Float32Array[][] = variables.map(() => []);
  for (let sample = 0; sample < batch; sample += 1) {
    const gradient = tf.tidy(() => tf.reshape(tf.oneHot([sample], batch), [batch]));
    const found = tape.backward([{ tensor: tape.value, gradient }], paths);
    for (const [index, one] of found.entries()) rows[index]!.push(await one!.data<'float32'>());
    tf.dispose([gradient, ...(found as tf.Tensor[])]);
  }
  tape.dispose();
  tape.value.dispose();
  return rows.map((own) => {
    const gramian = new Float64Array(batch * batch);
    own.forEach((a, i) =>
      own.forEach((b, j) => {
        gramian[i * batch + j] = a.reduce((sum, value, k) => sum + value * b[k]!, 0);
      }),
    );
    return gramian;
  });
}

/** The largest difference, relative to the lengths of the two gradients. */
function distance(found: Float64Array, expected: Float64Array): number {
  const size = Math.sqrt(expected.length);
  const lengths = Array.from({ length: size }, (_, k) => Math.sqrt(expected[k * (size + 1)]!));
  return expected.reduce((worst, value, at) => {
    const scale = lengths[Math.floor(at / size)]! * lengths[at % size]!;
    return Math.max(
      worst,
      scale === 0 ? Math.abs(found[at]!) : Math.abs(found[at]! - value) / scale,
    );
  }, 0);
}

describe.each(testedBackends())('Gramians of samples on %s', (backend) => {
  beforeAll(() => startTestedBackend(backend));

  const networks = {
    ...sampleNetworks,
    ...(backend === 'tensorflow'
      ? {}
      : { 'a convolution padded by a number': convolutionPaddedByNumber }),
  };

  describe.each(Object.entries(networks))('of %s', (_, make) => {
    it.each([null, 'products', 'gradients'] as const)(
      'are those of the explicit Jacobian, by way %s',
      async (way) => {
        await expectConstantMemory(async () => {
          const network = make();
          const expected = await explicitGramians(network);
          const { gramians, ways } = await gramiansOf(network, way);
          gramians.forEach((gramian, index) => {
            expect(
              distance(gramian, expected[index]!),
              `variable ${index} ${ways[index]}`,
            ).toBeLessThan(1e-5);
            expect(gramian.some((value) => value !== 0)).toBe(true);
          });
          if (way === null) expect(ways).toEqual(network.ways);
          network.dispose();
        });
      },
    );
  });
});
