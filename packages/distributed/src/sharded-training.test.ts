import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers';
import type { GradientStrategy } from '@multigrad/core/strategy';
import { mgda } from '@multigrad/strategy-mgda';
import { mmpareto } from '@multigrad/strategy-mmpareto';
import { moco } from '@multigrad/strategy-moco';
import { modo } from '@multigrad/strategy-modo';
import { pcgrad } from '@multigrad/strategy-pcgrad';
import { sum } from '@multigrad/strategy-sum';
import { trimmedMean } from '@multigrad/strategy-trimmed-mean';
import { upgrad } from '@multigrad/strategy-upgrad';
import { expectConstantMemory, startTestBackend } from '@multigrad/test-support';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { gradientExchange } from './exchange.ts';
import { runRanks } from './local/local-group.ts';
import { shardBatches } from './shard-batches.ts';
import { distance, smallBatch, type SmallRun, smallTrainer } from './testing/small-network.ts';

// Training by several ranks is training by one process that sees all samples, but for the order of sums.

beforeAll(async () => {
  await startTestBackend();
});

interface Outcome {
  readonly weights: Float32Array;
  readonly losses: readonly number[];
}

const steps = 6;
const missing = 0.9;

function batchesOf({ strategy, options }: SmallRun): number {
  return (strategy().needs.batches ?? 1) * (options?.accumulate ?? 1);
}

async function byOne(run: SmallRun, reversed = false): Promise<Outcome> {
  const { network, trainer, dispose } = smallTrainer(run);
  const batches = batchesOf(run);
  const losses: number[] = [];
  for (let step = 0; step < steps; step += 1) {
    const given = Array.from({ length: batches }, (_, b) =>
      smallBatch(step * batches + b, 11, missing * (step % 2), reversed),
    );
    const report = await trainer.trainOnBatch(given[0]!, ...given.slice(1));
    losses.push(report.losses.far!);
    tf.dispose(given);
  }
  const weights = network.weights();
  dispose();
  return { weights, losses };
}

async function byRanks(ranks: number, run: SmallRun): Promise<Outcome[]> {
  return runRanks(ranks, async (communicator) => {
    // Rank 0's weights are everybody's.
    const seed = 1 + communicator.rank;
    const exchange = gradientExchange(communicator, { bucket: 40 });
    const { network, trainer, dispose } = smallTrainer(run, exchange, seed);
    const batches = batchesOf(run);
    const losses: number[] = [];
    const whole = function* () {
      for (let b = 0; b < steps * batches; b += 1) {
        yield smallBatch(b, 11, missing * (Math.floor(b / batches) % 2));
      }
    };
    await trainer.fit(shardBatches(whole, communicator), {
      epochs: 1,
      callbacks: [{ onBatchEnd: (_, report) => void losses.push(report.losses.far!) }],
    });
    const weights = network.weights();
    dispose();
    return { weights, losses };
  });
}

const strategies: [string, SmallRun][] = [
  ['sum', { strategy: () => sum() }],
  ['mmpareto', { strategy: () => mmpareto() }],
  ["mmpareto, rescale 'tensor'", { strategy: () => mmpareto({ rescale: 'tensor' }) }],
  ['pcgrad', { strategy: () => pcgrad({ seed: 3 }) }],
  ['mgda', { strategy: () => mgda() }],
  ['upgrad', { strategy: () => upgrad() }],
  ['moco, which keeps a memory', { strategy: () => moco() as unknown as GradientStrategy }],
  ['modo, with independent batches', { strategy: () => modo() as unknown as GradientStrategy }],
  ['trimmed mean, which reads single coordinates', { strategy: () => trimmedMean() }],
  ['mgda at features', { strategy: () => mgda(), level: 'features' }],
  ['one group for all', { strategy: () => mgda(), options: { groupBy: 'shared' } }],
  ['Adam', { strategy: () => mgda(), optimizer: 'adam' }],
  ['SGD', { strategy: () => mgda(), optimizer: 'sgd' }],
  ['fused momentum', { strategy: () => mgda(), optimizer: 'fused-momentum' }],
  ['fused Adam', { strategy: () => mgda(), optimizer: 'fused-adam' }],
  [
    'observed sum, decay, rate factors, averages',
    {
      strategy: () => sum(),
      options: {
        observe: { every: 2 },
        weightDecay: 0.01,
        decoupledWeightDecay: 0.1,
        rateFactors: { sine: 0.5 },
        average: { decay: 0.9 },
      },
    },
  ],
  [
    'scaled losses, clipped objectives',
    {
      strategy: () => pcgrad({ seed: 3 }),
      options: { lossScale: 8, clipObjectives: { value: 0.5, groupNorm: 0.4, globalNorm: 0.5 } },
    },
  ],
  [
    'clipped objectives of a sum',
    { strategy: () => sum(), options: { clipObjectives: { globalNorm: 0.5 } } },
  ],
  [
    'clipped objectives at features',
    {
      strategy: () => mgda(),
      level: 'features',
      options: { clipObjectives: { globalNorm: 0.02 } },
    },
  ],
  ['batches in parts', { strategy: () => mgda(), options: { accumulate: 2 } }],
  [
    'clipped gradients',
    {
      strategy: () => pcgrad({ seed: 3 }),
      options: { clip: { value: 0.2, groupNorm: 0.3, globalNorm: 0.4 } },
    },
  ],
];

describe('training by several ranks', () => {
  it.each(strategies)('is training by one: %s', async (_, run) => {
    await expectConstantMemory(async () => {
      const alone = await byOne(run);
      const reordered = await byOne(run, true);
      const noise = distance(alone.weights, reordered.weights);
      for (const ranks of [1, 4]) {
        const outcomes = await byRanks(ranks, run);
        for (const { weights, losses } of outcomes) {
          expect(weights).toEqual(outcomes[0]!.weights);
          expect(distance(alone.weights, weights)).toBeLessThan(Math.max(1e-5, 10 * noise));
          losses.forEach((loss, step) => {
            expect(loss).toBeCloseTo(alone.losses[step]!, 4);
          });
        }
      }
    });
  });
});
