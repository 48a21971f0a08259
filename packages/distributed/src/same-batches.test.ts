import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers';
import { currentShare, resumableBatches } from '@multigrad/core';
import { mgda } from '@multigrad/strategy-mgda';
import { expectConstantMemory, startTestBackend } from '@multigrad/test-support';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { alone } from './alone.ts';
import { gradientExchange } from './exchange.ts';
import { runRanks } from './local/local-group.ts';
import { type Batches, shardBatches } from './shard-batches.ts';
import {
  distance,
  type SmallBatch,
  smallBatch,
  type SmallRun,
  smallTrainer,
} from './testing/small-network.ts';

beforeAll(async () => {
  await startTestBackend();
});

interface Outcome {
  readonly message: string | null;
  /** The largest change of a weight, relative to the largest weight. */
  readonly change: number;
}

/** Trains on two ranks what each of them is given. */
async function train(
  dataOf: (
    rank: number,
    shard: (batches: Batches<SmallBatch>) => Batches<SmallBatch>,
  ) => Batches<SmallBatch>,
  options: SmallRun['options'] = {},
  epochs = 1,
): Promise<readonly Outcome[]> {
  return runRanks(2, async (communicator) => {
    const run = { strategy: () => mgda(), options };
    const { network, trainer, dispose } = smallTrainer(run, gradientExchange(communicator));
    const before = network.weights();
    const data = dataOf(communicator.rank, (batches) => shardBatches(batches, communicator));
    let message: string | null = null;
    try {
      await trainer.fit(data, { epochs, disposeBatches: true });
    } catch (error) {
      message = String(error);
    }
    const change = distance(before, network.weights());
    dispose();
    return { message, change };
  });
}

const generated = (seedOf: (epoch: number) => number): Batches<SmallBatch> =>
  function* batches(epoch) {
    for (const more of [0, 1]) yield smallBatch(seedOf(epoch) + more);
  };

describe('ranks', () => {
  it('that all have the same batch, which nobody shared out, are refused before a step', async () => {
    await expectConstantMemory(async () => {
      const outcomes = await train(() => generated(() => 1));
      for (const { message, change } of outcomes) {
        expect(message).toMatch(
          /its own samples. Found the same batch on rank 0 and rank 1: .*`shardBatches`/,
        );
        expect(change).toBe(0);
      }
    });
  });

  it('that read samples of their own train', async () => {
    const outcomes = await train((rank) => generated(() => 10 * rank));
    for (const { message, change } of outcomes) {
      expect(message).toBeNull();
      expect(change).toBeGreaterThan(0.001);
    }
  });

  it('that share out different data are refused before a step, with both digests', async () => {
    const outcomes = await train((rank, shard) => shard(generated(() => 1 + rank)));
    for (const { message, change } of outcomes) {
      expect(message).toMatch(
        /same data in the same order.*Found a part of batch 0 of epoch 0, 12 samples, digest ([0-9a-f]{8}) on rank 0, a part of batch 0 of epoch 0, 12 samples, digest (?!\1)[0-9a-f]{8} on rank 1/,
      );
      expect(change).toBe(0);
    }
  });

  it('whose batches have other sizes from a later one on are refused there, with both sizes', async () => {
    const outcomes = await train((rank, shard) =>
      shard(function* batches() {
        for (const size of [12, 10 + rank]) yield smallBatch(1, size);
      }),
    );
    for (const { message } of outcomes) {
      expect(message).toMatch(
        /a part of batch 1 of epoch 0, 10 samples on rank 0, a part of batch 1 of epoch 0, 11 samples on rank 1/,
      );
    }
  });

  it('whose order differs from a later epoch on are refused there', async () => {
    const outcomes = await train(
      (rank, shard) => shard(generated((epoch) => 1 + epoch * (1 + rank))),
      {},
      2,
    );
    for (const { message } of outcomes) {
      expect(message).toMatch(
        /batch 0 of epoch 1, 12 samples, digest .* on rank 0.*batch 0 of epoch 1, 12 samples, digest/,
      );
    }
  });

  it('of which one alone shares its batches out are refused', async () => {
    const [outcome] = await train((rank, shard) =>
      rank === 0 ? shard(generated(() => 1)) : generated(() => 2),
    );
    expect(outcome!.message).toMatch(
      /a part of batch 0 of epoch 0.* on rank 0, a batch that `shardBatches` did not make on rank 1/,
    );
  });

  it('that go on in the midst of an epoch compare the first batch they read', async () => {
    const resumable = (seed: number): Batches<SmallBatch> =>
      resumableBatches(function* batches(epoch: number, firstBatch: number) {
        for (let i = firstBatch; i < 3; i += 1) yield smallBatch(seed + 10 * epoch + i);
      });
    const outcomes = await train((_, shard) => shard(resumable(1)));
    expect(outcomes.map(({ message }) => message)).toEqual([null, null]);
  });

  it('tell layers their share of a batch, also where nobody passes it on', async () => {
    const seen = await runRanks(2, async (communicator) => {
      const shares: (number | undefined)[] = [];
      const { network, trainer, dispose } = smallTrainer(
        {
          strategy: () => mgda(),
          options: {
            objectives: (batch) => {
              shares.push(currentShare()?.firstSample);
              return network.losses(batch);
            },
          },
        },
        gradientExchange(communicator),
      );
      await trainer.fit(
        shardBatches(() => [smallBatch(1, 13)], communicator),
        { epochs: 1, disposeBatches: true },
      );
      dispose();
      return shares;
    });
    expect(seen).toEqual([[0], [7]]);
    expect(currentShare()).toBeNull();
  });
});

describe('metrics among ranks', () => {
  const measured = async (
    metricsOf: (rank: number) => readonly string[],
  ): Promise<{ readonly logs: Record<string, number>; readonly message: string | null }[]> =>
    runRanks(2, async (communicator) => {
      const { rank } = communicator;
      const weight = tf.variable(tf.scalar(1));
      const { trainer, dispose } = smallTrainer(
        {
          strategy: () => mgda(),
          options: {
            objectives: ({ x }) => ({
              sine: {
                loss: tf.mean(tf.mul(tf.slice(x, [0, 0], [-1, 1]), weight)) as tf.Scalar,
                metrics: Object.fromEntries(
                  metricsOf(rank).map((name) => [name, tf.scalar(name === 'one' ? 1 : 2 + rank)]),
                ),
              },
            }),
            variables: new Map([['weight', weight]]),
            optimizer: tf.train.sgd(0.1),
          },
        },
        gradientExchange(communicator),
      );
      let logs: Record<string, number> = {};
      let message: string | null = null;
      try {
        const { metrics } = await trainer.trainOnBatch(smallBatch(rank));
        logs = { ...metrics.sine };
      } catch (error) {
        message = String(error);
      }
      dispose();
      weight.dispose();
      return { logs, message };
    });

  it('are means by name, in whatever order a rank returns them', async () => {
    const both = await measured((rank) => (rank === 0 ? ['one', 'two'] : ['two', 'one']));
    for (const { logs } of both) expect(logs).toEqual({ one: 1, two: 2.5 });
  });

  it('that one rank does not measure are refused by name', async () => {
    const both = await measured((rank) => (rank === 0 ? ['one', 'two'] : ['one']));
    for (const { message } of both) {
      expect(message).toMatch(
        /measure the same of objective `sine`. Found the metrics \(`one`, `two`\) on rank 0, \(`one`\) on rank 1/,
      );
    }
  });
});

describe('option `synchronise`', () => {
  it('is refused before a weight changes where no layer adds up over the ranks', async () => {
    const run = { strategy: () => mgda(), options: { synchronise: true } };
    const { network, trainer, dispose } = smallTrainer(run, gradientExchange(alone()));
    const before = network.weights();
    const batch = smallBatch(1);
    await expect(trainer.trainOnBatch(batch)).rejects.toThrow(
      /`synchronise` should be left out where no layer adds up/,
    );
    expect(network.weights()).toEqual(before);
    tf.dispose(batch);
    dispose();
  });
});
