import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers';
import { MultiObjectiveTrainer, sliceOf } from '@multigrad/core';
import type { GradientStrategy } from '@multigrad/core/strategy';
import { resnet18 } from '@multigrad/models';
import { mgda } from '@multigrad/strategy-mgda';
import { mmpareto } from '@multigrad/strategy-mmpareto';
import { sum } from '@multigrad/strategy-sum';
import { trimmedMean } from '@multigrad/strategy-trimmed-mean';
import { expectConstantMemory, startTestBackend } from '@multigrad/test-support';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { alone } from './alone.ts';
import { buckets, defaultBucket, gradientExchange } from './exchange.ts';
import { runRanks } from './local/local-group.ts';
import { measured } from './measured.ts';
import { shardBatches } from './shard-batches.ts';
import { parameters, smallBatch, type SmallRun, smallTrainer } from './testing/small-network.ts';

beforeAll(async () => {
  await startTestBackend();
});

const { shared, heads } = parameters;

describe('gradientExchange', () => {
  it.each<[string, SmallRun, number]>([
    // (K + 1) P for what K objectives share, 2 P for heads.
    ['mgda', { strategy: () => mgda() }, 4 * shared + 2 * heads],
    ['mmpareto', { strategy: () => mmpareto({ rescale: 'tensor' }) }, 4 * shared + 2 * heads],
    // One backward pass, and sums over features are each rank's own: 2 P.
    ['sum', { strategy: () => sum() }, 2 * (shared + heads)],
    ['mgda at features', { strategy: () => mgda(), level: 'features' }, 2 * (shared + heads)],
  ])('moves what the formula says: %s', async (_, run, numbers) => {
    const reports = await runRanks(3, async (communicator) => {
      let time = 0;
      const counting = measured(communicator, () => (time += 1));
      const { trainer, dispose } = smallTrainer(run, gradientExchange(counting));
      await trainer.fit(
        shardBatches(() => [0, 1].map((seed) => smallBatch(seed)), communicator),
        { epochs: 1, disposeBatches: true },
      );
      dispose();
      return counting.traffic();
    });
    for (const { reduceScatter, allGather, control } of reports) {
      expect((reduceScatter.bytes + allGather.bytes) / 4 / 2).toBe(numbers);
      expect(reduceScatter.time).toBeGreaterThan(0);
      expect(control.calls).toBeGreaterThan(0);
    }
  });

  it('of a rank alone is what it was given', async () => {
    const exchange = gradientExchange(alone());
    const row = Float32Array.of(1, 2, 3);
    const sums = exchange.sumRows();
    await sums.add(row, 3);
    await sums.add(null, 2);
    expect(await sums.end()).toEqual([row, Float32Array.of(0, 0)]);
    const whole: [Float32Array, number][] = [];
    await exchange.allGather([row], [3], (values, index) => whole.push([values, index]));
    expect(whole).toEqual([[row, 0]]);
    expect(await exchange.gather('x', 1)).toEqual([1]);
    expect(await exchange.fromRoot('x', 2)).toBe(2);
    exchange.sumNow?.(Float64Array.of(1));
    expect(() => gradientExchange(alone(), { bucket: 0 })).toThrow(/`bucket`.*Found 0/);
  });

  it('sends each bucket of sums as soon as it is full', async () => {
    const sums = await runRanks(2, async (communicator) => {
      const { rank } = communicator;
      const asked: number[] = [];
      const rows = gradientExchange(
        {
          ...communicator,
          reduceScatter: async (values, counts) => {
            asked.push(values.length);
            return communicator.reduceScatter(values, counts);
          },
        },
        { bucket: 8 },
      ).sumRows();
      const sent: number[] = [];
      for (const size of [3, 4, 20, 1, 1]) {
        await rows.add(new Float32Array(size).fill(rank + size), size);
        sent.push(asked.length);
      }
      await rows.flush();
      // The third row does not fit into the first bucket, and fills the second by itself.
      expect(sent).toEqual([0, 0, 2, 2, 2]);
      const slices = await rows.end();
      expect(asked).toEqual([7, 20, 2]);
      return slices;
    });
    const of = (rank: number): number[][] => sums[rank]!.map((slice) => [...slice]);
    expect(of(0)).toEqual([[7, 7], [9, 9], new Array(10).fill(41), [3], [3]]);
    expect(of(1)).toEqual([[7], [9, 9], new Array(10).fill(41), [], []]);
  });

  it('sends gradients of later layers while the last backward pass goes on', async () => {
    const logs = await runRanks(2, async (communicator) => {
      const log: string[] = [];
      const [first, second] = [tf.variable(tf.ones([2, 3])), tf.variable(tf.ones([3, 4]))];
      /** Passes values on, and notes when a backward pass comes by. */
      const noted = tf.customGrad((x) => ({
        value: tf.clone(x as tf.Tensor),
        gradFunc: (dy: tf.Tensor) => {
          log.push('back at the first layer');
          return tf.clone(dy);
        },
      }));
      const exchange = gradientExchange(
        {
          ...communicator,
          reduceScatter: async (values, counts) => {
            log.push(`${values.length} numbers`);
            return communicator.reduceScatter(values, counts);
          },
        },
        { bucket: 8 },
      );
      const optimizer = tf.train.sgd(0.1);
      const trainer = new MultiObjectiveTrainer({
        objectives: ({ x }: { x: tf.Tensor2D }) => {
          const y = tf.matMul(noted(tf.matMul(x, first as tf.Tensor2D)), second);
          return { up: tf.mean(tf.square(tf.sub(y, 1))), down: tf.mean(tf.square(y)) };
        },
        variables: new Map([
          ['first', first],
          ['second', second],
        ]),
        strategy: mgda(),
        optimizer,
        exchange,
      });
      const batches = () => [{ x: tf.ones<tf.Rank.R2>([4, 2]) }];
      await trainer.fit(shardBatches(batches, communicator), { epochs: 1, disposeBatches: true });
      trainer.dispose();
      tf.dispose([first, second]);
      return log;
    });
    const pass = ['12 numbers', 'back at the first layer', '6 numbers'];
    expect(logs).toEqual([
      [...pass, ...pass],
      [...pass, ...pass],
    ]);
  });

  it('leaves 1.6 % of the gradients of ResNet-18 for after the last backward pass', () => {
    const shareLeft = (width: number, bucket: number): number => {
      const size = { inputHeight: 32, inputWidth: 32 };
      const encoder = resnet18({ name: 'e', channels: 3, ...size, stem: 'small', width });
      const sizes = encoder.trainableWeights.map((weight) => weight.read().size).reverse();
      encoder.dispose();
      const numbersIn = (of: readonly number[]): number => of.reduce((sum, one) => sum + one, 0);
      return numbersIn([...buckets(sizes, (one) => one, bucket)].at(-1)!) / (3 * numbersIn(sizes));
    };
    expect(shareLeft(64, defaultBucket)).toBeCloseTo(0.0157, 3);
    expect(shareLeft(64, 2 ** 22)).toBeCloseTo(0.065, 3);
    // A narrow network is less than one large bucket: nothing of the last pass is sent before its end.
    expect(shareLeft(32, defaultBucket)).toBeCloseTo(0.065, 3);
    expect(shareLeft(32, 2 ** 22)).toBeCloseTo(1 / 3, 10);
  });

  it('asks for the next bucket of weights before it puts one together', async () => {
    const logs = await runRanks(2, async (communicator) => {
      const log: (string | number)[] = [];
      const { rank } = communicator;
      const exchange = gradientExchange(
        {
          ...communicator,
          allGather: async (part, counts) => {
            log.push('asked');
            return communicator.allGather(part, counts);
          },
        },
        { bucket: 8 },
      );
      const sizes = [3, 4, 20, 1, 1];
      const slices = sizes.map((size) => {
        const { begin, end } = sliceOf(size, rank, 2);
        return Float32Array.from({ length: end - begin }, (_, i) => size + begin + i);
      });
      await exchange.allGather(slices, sizes, (values, index) => {
        const size = sizes[index]!;
        expect([...values]).toEqual(Array.from({ length: size }, (_, i) => size + i));
        log.push(index);
      });
      return log;
    });
    const expected = ['asked', 'asked', 0, 1, 'asked', 2, 3, 4];
    expect(logs).toEqual([expected, expected]);
  });

  it('sends weights in buckets, and a large one by itself', () => {
    const sizes = [3, 4, 20, 1, 1];
    expect([...buckets(sizes, (size) => size, 8)]).toEqual([[3, 4], [20], [1, 1]]);
    expect([...buckets([], () => 1, 8)]).toEqual([]);
  });
});

describe('a Gramian among ranks', () => {
  it.each(['parameters', 'features'] as const)(
    'has the rounding error that one process has: %s',
    async (level) => {
      const errors = async (size: number): Promise<number[][]> =>
        runRanks(size, async (communicator) => {
          const seen: number[] = [];
          const observing: GradientStrategy = {
            ...mgda(),
            integrate: (group) => {
              seen.push(group.gramian.relativeError);
              return { ...mgda().integrate(group, null), state: null };
            },
          };
          const { trainer, dispose } = smallTrainer(
            { strategy: () => observing, level },
            gradientExchange(communicator),
          );
          await trainer.fit(
            shardBatches(() => [smallBatch(1, 13)], communicator),
            { epochs: 1, disposeBatches: true },
          );
          dispose();
          // Before the first step ranks compare what their strategies answer to gradients that are made up.
          return seen.slice(-1);
        });
      const [whole] = await errors(1);
      // Slices of 35 numbers are 12, 12 and 11 long, and a batch of 13 samples is 5, 4 and 4: a rank that looks at its own
      // rows would find a smaller error. Rank 0 asks the strategy.
      expect(whole![0]).toBeGreaterThan(2 ** -22);
      const [first] = await errors(3);
      expect(first).toEqual(whole);
    },
  );
});

describe('errors', () => {
  const fit = async (
    run: SmallRun,
    change: (rank: number, batch: ReturnType<typeof smallBatch>) => void = () => undefined,
    batchesOf: (rank: number) => number = () => 1,
  ): Promise<string[]> => {
    const caught: string[] = [];
    await runRanks(2, async (communicator) => {
      const { rank } = communicator;
      const { trainer, dispose } = smallTrainer(run, gradientExchange(communicator));
      // Each rank reads samples of its own.
      const own = [...new Array<number>(batchesOf(rank)).keys()].map((seed) =>
        smallBatch(10 * rank + seed),
      );
      for (const batch of own) change(rank, batch);
      try {
        await trainer.fit(own, { epochs: 1 });
      } catch (error) {
        caught[rank] = error instanceof Error ? error.message : String(error);
      } finally {
        tf.dispose(own);
        dispose();
      }
    });
    return caught;
  };
  const poison =
    (rank: number) =>
    (own: number, batch: { x: tf.Tensor2D }): void => {
      if (own !== rank) return;
      batch.x.dispose();
      batch.x = tf.fill([12, 5], NaN);
    };

  it.each<[string, () => GradientStrategy]>([
    ['sum', () => sum()],
    ['mgda', () => mgda()],
  ])('of one rank are those of all: a loss that is NaN, %s', async (_, strategy) => {
    const caught = await expectConstantMemory(async () => fit({ strategy }, poison(1)));
    expect(caught).toEqual(
      new Array(2).fill('The loss of objective `sine` should be finite. Found NaN at step 0.'),
    );
  });

  it('name the rank that threw', async () => {
    const caught = await expectConstantMemory(async () =>
      fit({ strategy: () => mgda() }, (rank, batch) => {
        if (rank === 1) batch.sine.dispose();
      }),
    );
    expect(caught[0]).toMatch(/^Rank 1: .*disposed/);
    expect(caught[1]).toMatch(/^Tensor is disposed/);
  });

  it('tell of ranks with different amounts of data', async () => {
    const caught = await expectConstantMemory(async () =>
      fit({ strategy: () => mgda() }, undefined, (rank) => 1 + rank),
    );
    for (const message of caught) {
      expect(message).toMatch(
        /same amount of data. Found rank 0 at its stop, rank 1 at its batches/,
      );
    }
  });

  it('say what is not supported', async () => {
    await expectConstantMemory(async () => {
      const features: SmallRun = { strategy: () => trimmedMean(), level: 'features' };
      const [message] = await fit(features);
      expect(message).toMatch(/combines gradients number by number.*level: 'parameters'/);
    });
    const exchange = { ...gradientExchange(alone()), sumNow: null };
    const run = (options: SmallRun['options']): void => {
      smallTrainer({ strategy: () => sum(), ...(options ? { options } : {}) }, exchange);
    };
    expect(() => run({ optimizer: () => undefined })).toThrow(/Found a function/);
    expect(() => run({ synchronise: true })).toThrow(/`synchronise` needs ranks/);
  });
});
