import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers';
import { cosineDecay } from '@multigrad/core';
import { graddrop } from '@multigrad/strategy-graddrop';
import { mmpareto } from '@multigrad/strategy-mmpareto';
import { moco } from '@multigrad/strategy-moco';
import { sum } from '@multigrad/strategy-sum';
import { trimmedMean } from '@multigrad/strategy-trimmed-mean';
import { expectConstantMemory, startTestBackend } from '@multigrad/test-support';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { gradientExchange } from './exchange.ts';
import { runRanks } from './local/local-group.ts';
import { shardBatches } from './shard-batches.ts';
import { smallBatch, type SmallRun, smallTrainer } from './testing/small-network.ts';

beforeAll(async () => {
  await startTestBackend();
});

const alike: SmallRun = { strategy: () => mmpareto() };
const options = (changed: SmallRun['options']): SmallRun => ({ ...alike, options: changed! });

function* batches(): Generator<ReturnType<typeof smallBatch>> {
  yield smallBatch(1);
}

/** What each rank says where the last of three is started with other options; weights are those of the start. */
async function started(others: SmallRun, last: SmallRun): Promise<string[]> {
  return expectConstantMemory(async () => {
    const said: string[] = [];
    await runRanks(3, async (communicator) => {
      const run = communicator.rank === 2 ? last : others;
      const { network, trainer, dispose } = smallTrainer(run, gradientExchange(communicator));
      const before = network.weights();
      try {
        await trainer.fit(shardBatches(batches, communicator), { epochs: 1, disposeBatches: true });
        said.push('no error');
      } catch (error) {
        said.push((error as Error).message);
        expect(network.weights()).toEqual(before);
      } finally {
        dispose();
      }
    });
    return said;
  });
}

describe('ranks of a program of your own', () => {
  it('train where all is the same', async () => {
    const same = options({
      learningRate: cosineDecay({ rate: 0.1, steps: 10 }),
      clip: { globalNorm: 1 },
    });
    expect(await started(same, same)).toEqual(new Array(3).fill('no error'));
  });

  it.each<[name: string, last: SmallRun, difference: string, others?: SmallRun]>([
    [
      'another rate of the optimizer',
      options({ optimizer: tf.train.momentum(0.06, 0.9) }),
      'optimizer.options.learningRate: 0.05',
    ],
    [
      'another optimizer',
      { ...alike, optimizer: 'adam' },
      'optimizer.kind: "Momentum" on rank 0, "Adam"',
    ],
    ['a fused optimizer', { ...alike, optimizer: 'fused-momentum' }, 'optimizer.kind: "Momentum"'],
    ['another decay', options({ weightDecay: 0.1 }), 'options.weightDecay: none on rank 0, "0.1"'],
    ['another schedule', options({ learningRate: 0.1 }), 'options.learningRate: none'],
    [
      'another schedule of the same kind',
      options({ learningRate: cosineDecay({ rate: 0.1, steps: 11 }) }),
      'options.learningRate.steps 0, 1, 10, 100, 1000',
      options({ learningRate: cosineDecay({ rate: 0.1, steps: 10 }) }),
    ],
    [
      'another limit',
      options({ clip: { globalNorm: 1 } }),
      'options.clip.globalNorm: none on rank 0, "1"',
    ],
    ['another loss scale', options({ lossScale: 8 }), 'options.lossScale: none on rank 0, "8"'],
    [
      'another loss weight',
      options({ lossWeights: { sine: 2 } }),
      'options.lossWeights.sine: none',
    ],
    ['groups of another kind', options({ groupBy: 'layer' }), 'options.groupBy: none'],
    ['another strategy', { strategy: () => sum() }, 'strategy.name: "mmpareto" on rank 0, "sum"'],
    [
      'other options of the strategy',
      { strategy: () => mmpareto({ gamma: 2 }) },
      'strategy.answers',
    ],
    [
      'other options of one with a memory',
      { strategy: () => moco({ gammaSigma: 0.7 }) },
      'strategy.answers',
      { strategy: () => moco() },
    ],
    [
      'other options of one that combines numbers',
      { strategy: () => trimmedMean({ trim: 1 }) },
      'strategy.answers',
      { strategy: () => trimmedMean({ trim: 0 }) },
    ],
    [
      'another seed',
      { strategy: () => graddrop({ seed: 2 }) },
      'strategy.answers',
      { strategy: () => graddrop({ seed: 1 }) },
    ],
    [
      'other code of the strategy',
      {
        strategy: () => ({
          ...mmpareto(),
          integrate: (group) => mmpareto().integrate(group, null),
        }),
      },
      'strategy.code',
    ],
    [
      'other code of the objectives',
      options({ objectives: ({ x }) => ({ sine: tf.sum(x) }) }),
      'options.objectives',
    ],
  ])(
    'are refused with %s, before a step, on every rank',
    async (_, last, difference, others = alike) => {
      const said = await started(others, last);
      for (const message of said) {
        expect(message).toMatch(/^All ranks should train with the same options. Found\n/);
        expect(message).toContain(`  ${difference}`);
        expect(message).toContain('on rank 2');
        expect(message).not.toContain('on rank 1');
      }
    },
  );
});
