import '@tensorflow/tfjs-layers';
import { useBackend } from '@multigrad/backends';
import { MultiObjectiveTrainer } from '@multigrad/core';
import type { GradientStrategy } from '@multigrad/core/strategy';
import { mgda } from '@multigrad/strategy-mgda';
import { mmpareto } from '@multigrad/strategy-mmpareto';
import { pcgrad } from '@multigrad/strategy-pcgrad';
import { sum } from '@multigrad/strategy-sum';
import {
  convolutionalNetwork,
  multilayerPerceptron,
  testedBackends,
} from '@multigrad/test-support';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';

// A run holds as many tensors and bytes after 200 steps as after 2, whatever the strategy, also when steps throw.

const strategies: [string, () => GradientStrategy][] = [
  ['sum', () => sum()],
  ['mmpareto', () => mmpareto()],
  ["mmpareto rescale 'tensor'", () => mmpareto({ rescale: 'tensor' })],
  ['pcgrad', () => pcgrad({ seed: 1 })],
  ['mgda', () => mgda()],
  ["mgda normalization 'loss+'", () => mgda({ normalization: 'loss+' })],
];

function held(): object {
  const { numTensors, numDataBuffers, numBytes } = tf.memory();
  return { numTensors, numDataBuffers, numBytes };
}

describe.each(testedBackends())('memory on %s', (backend) => {
  // Convolutions are slow on cpu.
  const make = backend === 'cpu' ? multilayerPerceptron : convolutionalNetwork;

  it.each(strategies)('stays constant through 200 steps of %s', async (_, strategy) => {
    await useBackend(backend);
    const network = make();
    const optimizer = tf.train.momentum(0.001, 0.9);
    let poisoned = false;
    const trainer = new MultiObjectiveTrainer({
      objectives: () => {
        const { a, b, c } = network.losses();
        return { a, b, c: poisoned ? tf.mul(c, NaN) : c };
      },
      variables: network.variables,
      strategy: strategy(),
      optimizer,
      weightDecay: 1e-4,
      observe: { every: 7 },
    });
    for (let step = 0; step < 2; step += 1) await trainer.trainOnBatch(null);
    const early = held();
    for (let step = 2; step < 200; step += 1) await trainer.trainOnBatch(null);
    expect(held()).toEqual(early);
    poisoned = true;
    for (let step = 0; step < 5; step += 1) {
      await expect(trainer.trainOnBatch(null)).rejects.toThrow(
        /loss of objective `c`.*NaN at step 200/,
      );
    }
    expect(held()).toEqual(early);
    poisoned = false;
    expect((await trainer.trainOnBatch(null)).step).toBe(200);
    expect(held()).toEqual(early);
    optimizer.dispose();
    network.dispose();
  });
});
