import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers';
import { resumableBatches } from '@multigrad/core';
import { famo } from '@multigrad/scalarization';
import { mgda } from '@multigrad/strategy-mgda';
import { moco } from '@multigrad/strategy-moco';
import { sum } from '@multigrad/strategy-sum';
import { expectConstantMemory, startTestBackend } from '@multigrad/test-support';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { gradientExchange } from './exchange.ts';
import { localBatches } from './local-batches.ts';
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

/** Losses that are means over the targets there are; where there is none, over nothing: NaN. */
function means(batch: SmallBatch, weights: ReadonlyMap<string, tf.Variable>) {
  const get = (name: string): tf.Tensor2D => weights.get(name) as unknown as tf.Tensor2D;
  const features = tf.tanh(tf.add(tf.matMul(batch.x, get('trunk/kernel')), get('trunk/bias')));
  const mean = (task: 'sine' | 'sign' | 'far') => {
    const target = batch[task];
    const known = tf.logicalNot(tf.isNaN(target));
    const output = tf.sum(tf.matMul(features, get(`${task}/kernel`)), 1, true);
    const wrong = tf.where(known, tf.sub(output, target), tf.zerosLike(output));
    const samples = tf.sum(tf.cast(known, 'float32'));
    return { loss: tf.div(tf.sum(tf.square(wrong)), samples) as tf.Scalar, samples };
  };
  return { sine: mean('sine'), sign: mean('sign'), far: mean('far') };
}

type DataOf = (
  rank: number,
  shard: (batches: Batches<SmallBatch>) => Batches<SmallBatch>,
) => Batches<SmallBatch>;

/** Trains by so many ranks, 0 for a process by itself. @returns each rank's weights */
async function train(ranks: number, run: SmallRun, dataOf: DataOf, local = false) {
  return expectConstantMemory(async () =>
    runRanks(Math.max(1, ranks), async (communicator) => {
      const weights = new Map<string, tf.Variable>();
      const { network, trainer, dispose } = smallTrainer(
        { ...run, options: { ...run.options, objectives: (batch) => means(batch, weights) } },
        ranks === 0 ? undefined : gradientExchange(communicator),
      );
      for (const [name, variable] of network.variables) weights.set(name, variable);
      const { rank } = communicator;
      const data = dataOf(rank, (batches) => shardBatches(batches, communicator));
      await trainer.fit(local ? localBatches(data, communicator) : data, { epochs: 2 });
      const end = network.weights();
      dispose();
      return end;
    }),
  );
}

const runs: [string, SmallRun][] = [
  ['a backward pass for each', { strategy: () => mgda() }],
  ['one backward pass', { strategy: () => sum() }],
  ['observed', { strategy: () => sum(), options: { observe: { every: 1 } } }],
  ['a memory', { strategy: () => moco() as never, options: { average: { decay: 0.9 } } }],
  ['losses after the step', { strategy: () => famo() as never }],
  ['parts of a batch', { strategy: () => mgda(), options: { accumulate: 2 } }],
];

function* labelled(): Generator<SmallBatch> {
  // Of the targets of `far` the first two are there: ranks 1 and 2 have none.
  for (const seed of [1, 2, 3, 4]) yield smallBatch(seed, 11, 0.85);
}

function* tiny(): Generator<SmallBatch> {
  for (const seed of [1, 2, 3, 4]) yield smallBatch(seed, 2);
}

describe('ranks train as one process does where', () => {
  it.each(runs)('an objective has no sample and a loss of NaN on a rank: %s', async (_, run) => {
    const [alone] = await train(0, run, () => labelled);
    for (const weights of await train(3, run, (__, shard) => shard(labelled))) {
      expect(distance(alone!, weights)).toBeLessThan(1e-5);
    }
  });

  it.each([0, 4, 5].map((index) => runs[index]!))(
    'a batch has fewer samples than there are ranks: %s',
    async (_, run) => {
      const [alone] = await train(0, run, () => tiny);
      for (const weights of await train(4, run, (__, shard) => shard(tiny))) {
        expect(distance(alone!, weights)).toBeLessThan(1e-5);
      }
    },
  );
});

describe('batches that each rank reads by itself', () => {
  /** The same samples as one process's batches: of the last batch one rank alone has some. */
  const parts: Batches<SmallBatch>[] = [
    function* first() {
      yield smallBatch(1, 7);
      yield smallBatch(3, 5);
      yield smallBatch(4, 6);
    },
    function* second() {
      yield smallBatch(2, 4);
    },
  ];
  const joined = function* (): Generator<SmallBatch> {
    const [a, b] = [smallBatch(1, 7), smallBatch(2, 4)];
    const both = Object.fromEntries(
      Object.entries(a).map(([name, value]) => [
        name,
        tf.concat([value, b[name as keyof SmallBatch]]),
      ]),
    ) as SmallBatch;
    tf.dispose([a, b]);
    yield both;
    yield smallBatch(3, 5);
    yield smallBatch(4, 6);
  };

  it('make the steps of one process that has all samples, as many as the longest has', async () => {
    const run: SmallRun = { strategy: () => mgda() };
    const [alone] = await train(0, run, () => joined);
    for (const weights of await train(2, run, (rank) => parts[rank]!, true)) {
      expect(distance(alone!, weights)).toBeLessThan(1e-5);
    }
  });

  it('are gone on from in the midst of an epoch, also behind a rank’s last batch', async () => {
    const counts = await expectConstantMemory(async () =>
      runRanks(2, async (communicator) => {
        const own = resumableBatches(function* (_: number, from: number) {
          for (let i = from; i < (communicator.rank === 0 ? 4 : 1); i += 1) yield smallBatch(i);
        });
        let count = 0;
        for await (const batch of localBatches(own, communicator)(0, 2)) {
          count += 1;
          tf.dispose(batch);
        }
        return count;
      }),
    );
    expect(counts).toEqual([2, 2]);
  });

  it('that one rank lacks altogether are refused on every rank, with its number', async () => {
    await expectConstantMemory(async () => {
      const said = await runRanks(3, async (communicator) => {
        const own = function* () {
          if (communicator.rank !== 1) yield smallBatch(communicator.rank);
        };
        try {
          for await (const batch of localBatches(own, communicator)(0)) tf.dispose(batch);
          return '';
        } catch (error) {
          return (error as Error).message;
        }
      });
      expect(said).toEqual(
        new Array(3).fill(
          'Each rank should read at least one batch an epoch. Found none on rank 1 in epoch 0.',
        ),
      );
    });
  });
});
