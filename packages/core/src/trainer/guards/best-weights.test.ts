import '@tensorflow/tfjs-layers';
import { useBackend } from '@multigrad/backends';
import { disposeOptimizer, expectConstantMemory, variableOf } from '@multigrad/test-support';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { fusedMomentum } from '../../optimizers/fused-momentum.ts';
import { fixedWeights, unitSum } from '../../testing/strategies.ts';
import type { TrainerCallback } from '../callbacks.ts';
import { MultiObjectiveTrainer } from '../multi-objective-trainer.ts';
import { copySnapshot } from '../testing/copy-snapshot.ts';
import { earlyStopping, type EarlyStoppingOptions } from './early-stopping.ts';
import { reduceOnPlateau } from './reduce-on-plateau.ts';

type Batch = { x: tf.Tensor2D };

/** Weights that fall without end, and a statistic that grows. */
function runaway(
  optimizerOf: (weight: tf.Variable) => tf.Optimizer | ReturnType<typeof fusedMomentum>,
) {
  const weight = variableOf(() => tf.tensor1d([0.4, 0.4]));
  const mean = variableOf(() => tf.scalar(0));
  const optimizer = optimizerOf(weight);
  const trainer = new MultiObjectiveTrainer<Batch, 'a' | 'b'>({
    objectives: ({ x }, { training }) => {
      if (training) mean.assign(tf.add(mean, tf.mean(x)));
      return { a: tf.sum(weight), b: tf.sum(tf.mul(weight, 2)) };
    },
    variables: new Map([['weight', weight]]),
    statistics: new Map([['mean', mean]]),
    strategy: unitSum(),
    optimizer,
  });
  const data = { x: tf.ones([2, 1]) as tf.Tensor2D };
  /** Weights and statistics after each epoch. */
  const seen: { weights: number[][] } = { weights: [] };
  const watch: TrainerCallback = {
    onEpochEnd: () => {
      seen.weights.push([...weight.dataSync(), ...mean.dataSync()]);
    },
  };
  return {
    fit: async (
      options: EarlyStoppingOptions,
      more: Partial<Parameters<typeof trainer.fit>[1]> = {},
    ) =>
      trainer.fit(data, {
        epochs: 10,
        batchSize: 1,
        ...more,
        callbacks: [watch, ...(more.callbacks ?? []), earlyStopping(options)],
      }),
    trainer,
    data,
    seen,
    values: () => [...weight.dataSync(), ...mean.dataSync()],
    dispose: () => {
      trainer.dispose();
      if ('dispose' in optimizer) disposeOptimizer(optimizer as tf.Optimizer);
      tf.dispose([weight, mean, data.x]);
    },
  };
}

/** The loss of `runaway` falls without end; ranked by `max` the first epoch is the best. */
const worse: EarlyStoppingOptions = {
  monitor: 'loss',
  mode: 'max',
  patience: 3,
  restoreBest: true,
};

describe.each(['cpu', 'wasm'] as const)('restoreBest on %s', (backend) => {
  const optimizers = {
    momentum: () => tf.train.momentum(0.1, 0.9),
    'fused momentum': (weight: tf.Variable) =>
      fusedMomentum([weight], { learningRate: 0.1, momentum: 0.9 }),
  };

  it.each(Object.entries(optimizers))(
    'ends with weights and statistics of the best epoch: %s',
    async (_, optimizer) => {
      await useBackend(backend);
      await expectConstantMemory(async () => {
        const run = runaway(optimizer);
        const { epoch, stopped } = await run.fit(worse);
        expect(epoch.length).toBe(4);
        expect(stopped).toBe('requested');
        expect(run.seen.weights[3]).not.toEqual(run.seen.weights[0]);
        expect(run.values()).toEqual(run.seen.weights[0]);
        run.dispose();
      });
    },
  );

  it('leaves the last ones without it, and where training is interrupted', async () => {
    await useBackend(backend);
    await expectConstantMemory(async () => {
      const last = runaway(optimizers.momentum);
      await last.fit({ ...worse, restoreBest: false });
      expect(last.values()).toEqual(last.seen.weights[3]);
      last.dispose();
      const cut = runaway(optimizers.momentum);
      const stop: TrainerCallback = {
        onEpochEnd: (epoch) => {
          if (epoch === 1) cut.trainer.stop();
        },
      };
      await cut.fit(worse, { callbacks: [stop] });
      expect(cut.values()).toEqual(cut.seen.weights[1]);
      cut.dispose();
    });
  });

  it('frees its copies where training ends in an error, and begins anew after it', async () => {
    await useBackend(backend);
    await expectConstantMemory(async () => {
      const run = runaway(optimizers.momentum);
      const failing: TrainerCallback = {
        onEpochEnd: (epoch) => {
          if (epoch === 2) throw new Error('no disk');
        },
      };
      await expect(run.fit(worse, { callbacks: [failing] })).rejects.toThrow('no disk');
      run.dispose();
      const again = runaway(optimizers.momentum);
      const stopping = earlyStopping(worse);
      for (const epochs of [2, 2]) {
        const before = again.values();
        await again.trainer.fit(again.data, { epochs, batchSize: 1, callbacks: [stopping] });
        expect(again.values()).not.toEqual(before);
      }
      again.dispose();
    });
  });
});

it('restoreBest says where the weights are that a resumed fit lacks', async () => {
  await useBackend('cpu');
  await expectConstantMemory(async () => {
    const run = runaway(() => tf.train.momentum(0.1, 0.9));
    const kept: ReturnType<typeof copySnapshot>[] = [];
    const keep: TrainerCallback = {
      onSafePoint: async ({ logs, snapshot }) => {
        if (logs !== null) kept.push(copySnapshot(await snapshot()));
      },
    };
    await run.fit(worse, { callbacks: [keep] });
    await expect(run.fit(worse, { resume: kept[1]!.state.fit })).rejects.toThrow(
      'Option `restoreBest` needs the weights of the best epoch',
    );
    const { epoch } = await run.fit(
      { ...worse, restoreBest: false },
      { resume: kept[1]!.state.fit },
    );
    expect(epoch).toEqual([0, 1, 2, 3]);
    for (const { tensors } of kept) tf.dispose([...tensors.values()]);
    run.dispose();
  });
});

describe('reduceOnPlateau', () => {
  /** The rate after each epoch. */
  async function rates(
    lower: ReturnType<typeof reduceOnPlateau>,
    losses: readonly number[],
  ): Promise<number[]> {
    const found = [];
    for (const [epoch, loss] of losses.entries()) {
      await lower.onEpochEnd!(epoch, { loss });
      found.push(lower.learningRate(0));
    }
    return found;
  }

  it('falls after epochs without a better loss, waits while it cools, and stays above the least', async () => {
    const lower = reduceOnPlateau({
      rate: 1,
      factor: 0.5,
      patience: 2,
      cooldown: 1,
      least: 0.2,
      monitor: 'loss',
      minDelta: 0.1,
    });
    //           best        cool  1    2          best
    const losses = [3, 2, 2, 2, 2, 2, 1.95, 1, 1, 1, 1, 1, 1];
    expect(await rates(lower, losses)).toEqual([
      1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.2, 0.2, 0.2, 0.2,
    ]);
  });

  it('steers a trainer, and goes on from a checkpoint as without it', async () => {
    await useBackend('cpu');
    await expectConstantMemory(async () => {
      const weight = variableOf(() => tf.scalar(1));
      const optimizer = tf.train.sgd(1);
      const used: number[] = [];
      const train = async (
        resume: Parameters<MultiObjectiveTrainer<null, string>['fit']>[1]['resume'],
      ) => {
        const lower = reduceOnPlateau({ rate: 0.5, factor: 0.5, patience: 2, monitor: 'loss' });
        const trainer = new MultiObjectiveTrainer<null, string>({
          objectives: () => ({ a: tf.add(tf.mul(weight, 0), 1), b: tf.add(tf.mul(weight, 0), 1) }),
          variables: [weight],
          strategy: fixedWeights(),
          optimizer,
          learningRate: lower.learningRate,
        });
        const states: unknown[] = [];
        await trainer.fit([null], {
          epochs: 6,
          resume,
          callbacks: [
            lower,
            {
              onBatchEnd: () => void used.push(lower.learningRate(0)),
              onSafePoint: async ({ logs, snapshot }) => {
                if (logs !== null) states.push((await snapshot()).state.fit);
              },
            },
          ],
        });
        trainer.dispose();
        return states;
      };
      const states = await train(undefined);
      expect(used).toEqual([0.5, 0.5, 0.5, 0.25, 0.25, 0.125]);
      used.length = 0;
      await train(structuredClone(states[3]) as Parameters<typeof train>[0]);
      expect(used).toEqual([0.25, 0.125]);
      disposeOptimizer(optimizer);
      weight.dispose();
    });
  });

  it.each([
    [{ rate: 0 }, 'rate'],
    [{ rate: 1, factor: 1 }, 'factor'],
    [{ rate: 1, least: 2 }, 'least'],
    [{ rate: 1, patience: 0 }, 'patience'],
    [{ rate: 1, cooldown: -1 }, 'cooldown'],
    [{ rate: 1, minDelta: -1 }, 'minDelta'],
    [{ rate: 1, mode: 'low' as 'min' }, 'mode'],
  ])('refuses %o', (options, name) => {
    expect(() => reduceOnPlateau(options)).toThrow(`Option \`${name}\``);
  });
});
