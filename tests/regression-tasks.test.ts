import { MultiObjectiveTrainer } from '@multigrad/core';
import { acCircuits, batchesByEpoch } from '@multigrad/datasets';
import { multilayerPerceptron, multiTaskNetwork } from '@multigrad/models';
import { pcgrad } from '@multigrad/strategy-pcgrad';
import { expectConstantMemory } from '@multigrad/test-support';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';

// Two regression tasks on one trunk: generated circuits, a network, a strategy and a trainer put together.

it('learns impedance and phase at once, better than their means', async () => {
  await tf.setBackend('cpu');
  await expectConstantMemory(async () => {
    const { train, test } = acCircuits({ trainSize: 1024, testSize: 256, noise: 0.1, seed: 1 });
    const network = multiTaskNetwork({
      trunk: multilayerPerceptron({ name: 'trunk', shape: [4], hidden: [32], features: 32 }),
      tasks: {
        impedance: { kind: 'regression', size: 1 },
        phase: { kind: 'regression', size: 1 },
      },
    });
    const optimizer = tf.train.adam(0.005);
    const trainer = new MultiObjectiveTrainer({
      objectives: ({ circuit, ...targets }: ReturnType<typeof train.batch>, mode) =>
        network.objectives(circuit, targets, mode),
      variables: network.trainableVariables,
      parts: network.parts,
      strategy: pcgrad(),
      optimizer,
    });
    const whole = test.batch(Int32Array.from({ length: test.count }, (_, i) => i));
    await trainer.fit(batchesByEpoch(train, { batchSize: 32, shuffleSeed: 1 }), { epochs: 8 });
    const { losses } = await trainer.evaluate([whole]);
    // A constant prediction has mean squared error 1; the noise alone 0.01.
    expect(losses.impedance).toBeLessThan(0.4);
    expect(losses.phase).toBeLessThan(0.4);
    expect(losses.impedance).toBeGreaterThan(0.01);
    tf.dispose(whole);
    optimizer.dispose();
    network.dispose();
  });
});
