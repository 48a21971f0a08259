import { useBackend } from '@multigrad/backends';
import { expectConstantMemory } from '@multigrad/test-support';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Experiment } from './experiment.ts';
import { requireRecipe } from './index.ts';
import { resolveSettings } from './settings.ts';

const recipe = requireRecipe('cg-mnist');
const settings = resolveSettings(recipe, 'quick', {
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
  look: (experiment: Experiment) => Promise<T>,
): Promise<T> {
  return expectConstantMemory(async () => {
    const experiment = await recipe.open(settings, seed);
    try {
      return await look(experiment);
    } finally {
      experiment.dispose();
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

describe('the recipe cg-mnist', () => {
  it('measures its objectives by their names, each with an accuracy', async () => {
    await withExperiment(0, async (experiment) => {
      for await (const batch of experiment.test()) {
        const measured = tf.tidy(
          () => experiment.objectives(batch, { training: false }) as unknown as tf.TensorContainer,
        ) as unknown as ReturnType<Experiment['objectives']>;
        expect(Object.keys(measured)).toEqual(recipe.objectives);
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
    await withExperiment(1, async (experiment) => {
      const [first, second] = [
        await labels(experiment.train(0)),
        await labels(experiment.train(1)),
      ];
      expect(experiment.stepsPerEpoch).toBe(6);
      expect(first.map(({ length }) => length)).toEqual([16, 16, 16, 16, 16, 16]);
      expect(second).not.toEqual(first);
      const test = await labels(experiment.test());
      expect(test.flat()).toHaveLength(30);
      expect(await labels(experiment.test())).toEqual(test);
    });
  });

  it('builds the same for the same seed and something else for another', async () => {
    const look = async (experiment: Experiment): Promise<unknown> => {
      const kernel = experiment.variables.get('color/conv1/kernel')!;
      return { weights: [...(await kernel.data())], order: await labels(experiment.train(0)) };
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
    const names = (experiment: Experiment): Promise<string[]> =>
      Promise.resolve([...experiment.variables.keys()]);
    const first = await withExperiment(0, names);
    expect(first).toContain('gray/conv1/kernel');
    expect(first.filter((name) => name.startsWith('head/')).length).toBe(6);
    expect(await withExperiment(0, names)).toEqual(first);
  });

  it('says of `joint` that two of its heads are not trained', () => {
    expect(recipe.notes(['sum'])).toEqual([]);
    expect(recipe.notes(['joint', 'sum']).join()).toContain('not trained');
  });
});
