import '@tensorflow/tfjs-layers';
import { useBackend } from '@multigrad/backends';
import { MultiObjectiveTrainer } from '@multigrad/core';
import {
  audioVisualDigits,
  cgMnist,
  type MemorySource,
  readMnist,
  readSpokenDigits,
} from '@multigrad/datasets';
import {
  modalityContributions,
  modalityMeans,
  multilayerPerceptron,
  multimodalNetwork,
} from '@multigrad/models';
import { sum } from '@multigrad/strategy-sum';
import {
  disposeOptimizer,
  expectConstantMemory,
  normalTensor,
  testedBackends,
} from '@multigrad/test-support';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';

// On trained networks and real digits: a modality that is noise contributes nothing, those that tell something do.

type Digits = Record<string, tf.Tensor> & { readonly label: tf.Tensor1D };
type Sets = Readonly<Record<'train' | 'test', Digits>>;

const sizes = { trainSize: 1200, testSize: 500 };

/** All samples of both sets as rows of numbers, with others in the place of some. */
function setsOf<
  Batch extends Readonly<Record<string, tf.Tensor>> & { readonly label: tf.Tensor1D },
>(
  sets: Readonly<Record<'train' | 'test', MemorySource<Batch>>>,
  modalities: (batch: Batch) => Readonly<Record<string, tf.Tensor>>,
): Sets {
  const of = (set: MemorySource<Batch>): Digits =>
    tf.tidy(() => {
      const batch = set.batch(Int32Array.from({ length: set.count }, (_, i) => i));
      const rows = Object.entries(modalities(batch)).map(([name, tensor]) => [
        name,
        tf.reshape(tensor, [set.count, -1]),
      ]);
      return { ...Object.fromEntries(rows), label: batch.label } as tf.TensorContainer;
    }) as unknown as Digits;
  return { train: of(sets.train), test: of(sets.test) };
}

/** Normal numbers that tell nothing of the samples beside them. */
function noiseBeside({ shape }: tf.Tensor): tf.Tensor {
  return normalTensor([shape[0]!, 60], shape[0]!);
}

const grayDigits = async () => cgMnist({ mnist: await readMnist(), ...sizes, variance: 0.03 });

/** Gray digits, and noise in the place of colour. */
const two = async (): Promise<Sets> =>
  setsOf(await grayDigits(), ({ gray, label }) => ({ gray, noise: noiseBeside(label) }));

/** Images, sounds, and noise beside them. */
const three = async (): Promise<Sets> => {
  const [mnist, recordings] = [await readMnist(), await readSpokenDigits()];
  const sets = audioVisualDigits({ mnist, recordings, ...sizes, validationSize: 0, snr: 10 });
  return setsOf(sets, ({ image, audio, label }) => ({ image, audio, noise: noiseBeside(label) }));
};

/** Five strips of gray digits, and noise beside them. */
const six = async (): Promise<Sets> =>
  setsOf(await grayDigits(), ({ gray, label }) => {
    const strips = tf.split(gray, [8, 4, 4, 5, 7], 1);
    const named = strips.map((strip, k) => [`strip-${k}`, strip]);
    return {
      ...(Object.fromEntries(named) as Record<string, tf.Tensor>),
      noise: noiseBeside(label),
    };
  });

/** Trains a small network on all modalities of a set by the sum of its objectives. */
async function trained({ label, ...inputs }: Digits) {
  const encoders = Object.fromEntries(
    Object.entries(inputs as Record<string, tf.Tensor>).map(([name, { shape }]) => {
      const size = { shape: shape.slice(1), hidden: [16], features: 8 };
      return [name, multilayerPerceptron({ name, ...size, seed: 1 })];
    }),
  );
  const network = multimodalNetwork({ encoders, classes: 10, seed: 1 });
  const optimizer = tf.train.momentum(0.02, 0.9);
  const trainer = new MultiObjectiveTrainer({
    objectives: (batch: Digits, mode) => network.objectives(batch, batch.label, mode),
    variables: network.trainableVariables,
    parts: network.parts,
    strategy: sum(),
    optimizer,
  });
  await trainer.fit({ ...inputs, label } as Digits, { batchSize: 40, shuffle: 1, epochs: 5 });
  trainer.dispose();
  disposeOptimizer(optimizer);
  return network;
}

describe.each(testedBackends())('on %s', (backend) => {
  beforeAll(async () => {
    await useBackend(backend);
  });

  it.each([
    ['two', two, 2],
    ['three', three, 3],
    ['six', six, 6],
  ] as const)(
    'of %s modalities the one that is noise contributes nothing',
    async (_, make, count) => {
      await expectConstantMemory(async () => {
        const { train, test } = await make();
        const network = await trained(train);
        const { modalities } = network;
        const means = await modalityMeans([train], modalities);
        expect(modalities).toHaveLength(count);
        for (const masks of ['zero', means] as const) {
          const { joint, chance, contributions } = await modalityContributions(
            (batch) => network.forward(batch, { training: false }).multimodal!,
            [test],
            { modalities, masks },
          );
          const values = modalities.map((name) => contributions[name]!.value);
          const total = values.reduce((all, value) => all + value, 0);
          expect(total).toBeCloseTo(joint - chance, 14);
          // The networks have learnt something, and the noise was no part of it.
          expect(joint - chance).toBeGreaterThan(0.4);
          for (const name of modalities) {
            const { value, low, high } = contributions[name]!;
            if (name === 'noise') {
              expect(low).toBeLessThanOrEqual(0);
              expect(high).toBeGreaterThanOrEqual(0);
              expect(Math.abs(value)).toBeLessThan(0.02);
            } else expect(low).toBeGreaterThan(0);
          }
        }
        tf.dispose([train, test, means]);
        network.dispose();
      });
    },
  );
});
