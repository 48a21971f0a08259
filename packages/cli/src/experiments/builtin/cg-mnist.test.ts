import { useBackend } from '@multigrad/backends';
import { expectConstantMemory } from '@multigrad/test-support';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { prepareExperiment, type PreparedExperiment } from '../prepare.ts';
import { requireExperiment } from '../index.ts';
import { resolveSettings } from '../settings.ts';

const experiment = requireExperiment('cg-mnist');
const settings = resolveSettings(experiment, 'quick', {
  'train-size': '100',
  'test-size': '30',
  'batch-size': '16',
  width: '2',
});

beforeAll(async () => {
  await useBackend('wasm');
});

async function withExperiment<T>(
  seed: number,
  look: (prepared: PreparedExperiment) => Promise<T>,
): Promise<T> {
  return expectConstantMemory(async () => {
    const prepared = await prepareExperiment(experiment, settings, seed);
    try {
      return await look(prepared);
    } finally {
      prepared.dispose();
    }
  });
}

async function labels(batches: AsyncIterable<tf.TensorContainer>): Promise<number[][]> {
  const all: number[][] = [];
  for await (const batch of batches) {
    all.push([...(await (batch as { label: tf.Tensor1D }).label.data())]);
    tf.dispose(batch);
  }
  return all;
}

describe('the experiment cg-mnist', () => {
  it('measures its objectives by their names, each with an accuracy', async () => {
    await withExperiment(0, async (prepared) => {
      for await (const batch of prepared.test()) {
        const measured = tf.tidy(
          () =>
            prepared.objectives(batch, {
              training: false,
              step: 0,
            }) as unknown as tf.TensorContainer,
        ) as unknown as ReturnType<PreparedExperiment['objectives']>;
        expect(Object.keys(measured)).toEqual(experiment.objectives);
        for (const objective of Object.values(measured)) {
          const { loss, metrics } = objective!;
          expect((await loss.data())[0]).toBeGreaterThan(0);
          const [accuracy] = await metrics['accuracy']!.data();
          expect(accuracy).toBeGreaterThanOrEqual(0);
          expect(accuracy).toBeLessThanOrEqual(1);
        }
        tf.dispose([measured as unknown as tf.TensorContainer, batch]);
      }
    });
  });

  it('shuffles the training set anew each epoch, in whole batches, and never the test set', async () => {
    await withExperiment(1, async (prepared) => {
      const [first, second] = [await labels(prepared.train(0)), await labels(prepared.train(1))];
      expect(prepared.stepsPerEpoch).toBe(6);
      expect(first.map(({ length }) => length)).toEqual([16, 16, 16, 16, 16, 16]);
      expect(second).not.toEqual(first);
      const test = await labels(prepared.test());
      expect(test.flat()).toHaveLength(30);
      expect(await labels(prepared.test())).toEqual(test);
    });
  });

  it('builds the same for the same seed and something else for another', async () => {
    const look = async (prepared: PreparedExperiment): Promise<unknown> => {
      const kernel = prepared.variables.get('color/conv1/kernel')!;
      return { weights: [...(await kernel.data())], order: await labels(prepared.train(0)) };
    };
    const [one, again, other] = [
      await withExperiment(3, look),
      await withExperiment(3, look),
      await withExperiment(4, look),
    ];
    expect(again).toEqual(one);
    expect(other).not.toEqual(one);
  });

  it('trains encoders and heads, under names that every run shares', async () => {
    const names = (prepared: PreparedExperiment): Promise<string[]> =>
      Promise.resolve([...prepared.variables.keys()]);
    const first = await withExperiment(0, names);
    expect(first).toContain('gray/conv1/kernel');
    expect(first.filter((name) => name.startsWith('head/')).length).toBe(6);
    expect(await withExperiment(0, names)).toEqual(first);
  });
});
