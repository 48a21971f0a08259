import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers';
import {
  disposeOptimizer,
  expectConstantMemory,
  startTestBackend,
  variableOf,
} from '@multigrad/test-support';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import type { GradientStrategy } from '../contract/strategy.ts';
import { copySnapshot } from './testing/copy-snapshot.ts';
import { MultiObjectiveTrainer } from './multi-objective-trainer.ts';

beforeAll(async () => {
  await startTestBackend();
});

const all = (objectives: readonly string[], value: number): Float64Array =>
  new Float64Array(objectives.length).fill(value);

const momentum: GradientStrategy = {
  specification: 1,
  name: 'momentum',
  needs: { gradients: 'gramian', memory: true },
  init: () => null,
  integrate: ({ objectives }, state) => ({
    weights: all(objectives, 1),
    memoryUpdate: {
      weights: all(objectives, 0.5),
      keep: all(objectives, 0.5),
      add: all(objectives, 1),
    },
    state,
  }),
};

const lastOfThree: GradientStrategy = {
  specification: 1,
  name: 'last-of-three',
  needs: { gradients: 'gramian', batches: 3 },
  init: () => null,
  integrate: ({ objectives }, state) => ({
    weights: all(objectives, 0),
    batchWeights: [all(objectives, 0), all(objectives, 1)],
    state,
  }),
};

type Batch = { x: tf.Tensor1D };

function trainerOf(strategy: GradientStrategy, variable: tf.Variable, optimizer: tf.Optimizer) {
  return new MultiObjectiveTrainer({
    // Gradients: the mean of x, and twice that.
    objectives: ({ x }: Batch) => ({
      a: tf.mean(tf.mul(x, variable)),
      b: tf.mean(tf.mul(x, tf.mul(variable, 2))),
    }),
    variables: [variable],
    strategy,
    optimizer,
  });
}

describe('training on independent batches', () => {
  it('takes as many batches a step, copies of those that free themselves, and leaves the rest', async () => {
    await expectConstantMemory(async () => {
      const variable = variableOf(() => tf.scalar(0));
      const optimizer = tf.train.sgd(1);
      const trainer = trainerOf(lastOfThree, variable, optimizer);
      const data = { x: tf.tensor1d([1, 2, 3, 4, 5, 6, 7]) };
      const { history } = await trainer.fit(data, { epochs: 1, batchSize: 1 });
      expect(trainer.state!.step).toBe(2);
      // 3 · (x_3 + x_6)
      expect(variable.dataSync()[0]).toBe(-27);
      // The second step's losses at the variable's value of −9, over x of 4, 5 and 6.
      expect(history['a_loss']![0]).toBeCloseTo((0 + -9 * 5) / 2, 5);
      const few = { x: tf.tensor1d([1, 2]) };
      await expect(trainer.fit(few, { epochs: 1, batchSize: 1 })).rejects.toThrow(
        'at least 3 batches per epoch. Found fewer in epoch 0',
      );
      const one = { x: data.x };
      await trainer.trainOnBatch(one, one, one);
      await expect(trainer.trainOnBatch(one)).rejects.toThrow('takes 3 forward functions');
      disposeOptimizer(optimizer);
      tf.dispose([data, few, variable]);
    });
  });
});

describe('training with a memory of gradients', () => {
  it('continues from a saved memory, and frees what it holds', async () => {
    await expectConstantMemory(async () => {
      const variable = variableOf(() => tf.scalar(0));
      const optimizer = tf.train.sgd(1);
      const trainer = trainerOf(momentum, variable, optimizer);
      const batch = { x: tf.tensor1d([1]) };
      // Each objective: m = 0, g; then .5 g; then .75 g.
      const updates = [3, 4.5, 5.25];
      let expected = 0;
      await trainer.trainOnBatch(batch);
      expect(variable.dataSync()[0]).toBe((expected -= updates[0]!));
      const saved = copySnapshot(trainer.snapshot());
      await trainer.trainOnBatch(batch);
      expect(variable.dataSync()[0]).toBe(expected - updates[1]!);
      trainer.restore(saved);
      tf.dispose([...saved.tensors.values()]);
      await trainer.trainOnBatch(batch);
      expect(variable.dataSync()[0]).toBe((expected -= updates[1]!));
      await trainer.trainOnBatch(batch);
      expect(variable.dataSync()[0]).toBe((expected -= updates[2]!));
      trainer.build([batch]);
      await trainer.trainOnBatch(batch);
      expect(variable.dataSync()[0]).toBe(expected - updates[0]!);
      trainer.dispose();
      disposeOptimizer(optimizer);
      tf.dispose([batch, variable]);
    });
  });

  it('keeps what it remembers where the optimizer fails', async () => {
    await expectConstantMemory(async () => {
      const variable = variableOf(() => tf.scalar(0));
      let fails = true;
      const trainer = new MultiObjectiveTrainer({
        objectives: ({ x }: Batch) => ({ a: tf.mean(tf.mul(x, variable)), b: tf.sum(variable) }),
        variables: [variable],
        strategy: momentum,
        optimizer: () => {
          if (fails) throw new Error('no optimizer');
        },
      });
      const batch = { x: tf.tensor1d([1]) };
      await expect(trainer.trainOnBatch(batch)).rejects.toThrow('no optimizer');
      expect(trainer.memory).toBeUndefined();
      fails = false;
      await trainer.trainOnBatch(batch);
      expect(trainer.memory!.tensors().length).toBe(2);
      trainer.dispose();
      tf.dispose([batch, variable]);
    });
  });
});
