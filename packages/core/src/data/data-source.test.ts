import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import * as tfd from '@tensorflow/tfjs-data';
import '@tensorflow/tfjs-layers';
import { expectConstantMemory } from '@multigrad/test-support';
import { beforeAll, describe, expect, expectTypeOf, it } from 'vitest';
import { unitSum } from '../testing/strategies.ts';
import { MultiObjectiveTrainer } from '../trainer/multi-objective-trainer.ts';
import type { DataSource } from './data-source.ts';
import { type BatchOf, type ObjectiveBatches, perObjective } from './per-objective.ts';
import { tensorBatches } from './tensor-batches.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

interface Sample {
  readonly x: tf.Tensor;
}

/** Trains for two epochs on any source; returns the samples in the order in which they were seen. */
async function seen(
  source: Parameters<MultiObjectiveTrainer<Sample, 'loss'>['fit']>[0],
  options: { readonly shuffle?: number | boolean; readonly batchSize?: number },
): Promise<number[]> {
  const order: number[] = [];
  const w = tf.tidy(() => tf.variable(tf.scalar(1)));
  const trainer = new MultiObjectiveTrainer({
    objectives: ({ x }: Sample) => {
      order.push(...x.dataSync());
      return { loss: tf.mean(tf.square(tf.mul(x, w))) };
    },
    variables: [w],
    strategy: unitSum(),
    optimizer: () => undefined,
  });
  try {
    await trainer.fit(source, { epochs: 2, ...options });
  } finally {
    w.dispose();
  }
  return order;
}

describe('shuffle', () => {
  it('true is the seed 0, an integer another; each epoch has its own order of the same samples', async () => {
    await expectConstantMemory(async () => {
      const record = { x: tf.range(1, 21) };
      const given = Array.from({ length: 20 }, (_, index) => index + 1);
      const [yes, zero, one, no] = [
        await seen(record, { shuffle: true, batchSize: 4 }),
        await seen(record, { shuffle: 0, batchSize: 4 }),
        await seen(record, { shuffle: 1, batchSize: 4 }),
        await seen(record, { shuffle: false, batchSize: 4 }),
      ];
      expect(yes).toEqual(zero);
      expect(yes).not.toEqual(one);
      expect(no).toEqual([...given, ...given]);
      expect(yes.slice(0, 20)).not.toEqual(given);
      expect(yes.slice(0, 20)).not.toEqual(yes.slice(20));
      for (const epoch of [yes.slice(0, 20), yes.slice(20)]) {
        expect([...epoch].sort((a, b) => a - b)).toEqual(given);
      }
      const batches = [...tensorBatches(record, { batchSize: 20, shuffle: true })(0)];
      expect([...batches[0]!.x.dataSync()]).toEqual(yes.slice(0, 20));
      tf.dispose([record, batches]);
    });
  });

  it('is refused, before a step, where the order is made elsewhere', async () => {
    await expectConstantMemory(async () => {
      const record = { x: tf.range(1, 5) };
      const sources = [
        [[record], 'an array of batches'],
        [new Set([record]), 'an iterable of batches'],
        [() => [record], 'a function of the epoch'],
        [perObjective({ a: record }), 'a function of the epoch'],
        [tfd.array([{ x: 1 }]).batch(1), 'a tf.data.Dataset'],
      ] as const;
      for (const [source, kind] of sources) {
        for (const shuffle of [true, 7]) {
          await expect(seen(source as Iterable<Sample>, { shuffle })).rejects.toThrow(
            `Option \`shuffle\` orders the samples of a record of tensors. Found ${kind}, whose order is made elsewhere`,
          );
        }
      }
      expect(await seen([record], { shuffle: false })).toEqual([1, 2, 3, 4, 1, 2, 3, 4]);
      record.x.dispose();
    });
  });

  it('is refused where it is neither a boolean nor an integer', async () => {
    const record = { x: tf.range(1, 5) };
    for (const shuffle of [1.5, NaN, 'true', null]) {
      await expect(seen(record, { shuffle: shuffle as number })).rejects.toThrow(
        'Option `shuffle` should be true, false or an integer, the seed of the order. Found',
      );
    }
    record.x.dispose();
  });

  it('means the same within `perObjective`', async () => {
    await expectConstantMemory(async () => {
      const record = { x: tf.range(1, 11) };
      const orders: number[] = [];
      for await (const { a } of perObjective({ a: record }, { shuffle: true, batchSize: 5 })(0)) {
        orders.push(...a!.x.dataSync());
      }
      expect(orders).toEqual((await seen(record, { shuffle: true, batchSize: 5 })).slice(0, 10));
      const mixed = perObjective({ a: record, b: [record] }, { shuffle: true });
      await expect(mixed(0).next()).rejects.toThrow('Found an array of batches');
      record.x.dispose();
    });
  });
});

describe('perObjective', () => {
  interface Digit {
    readonly image: tf.Tensor4D;
    readonly label: tf.Tensor1D;
  }
  interface Letter {
    readonly strokes: tf.Tensor3D;
  }

  it('infers the batches of every kind of source', () => {
    expectTypeOf<BatchOf<Digit>>().toEqualTypeOf<Digit>();
    expectTypeOf<BatchOf<readonly Digit[]>>().toEqualTypeOf<Digit>();
    expectTypeOf<BatchOf<Set<Digit>>>().toEqualTypeOf<Digit>();
    expectTypeOf<BatchOf<AsyncGenerator<Digit, void>>>().toEqualTypeOf<Digit>();
    expectTypeOf<BatchOf<(epoch: number) => AsyncIterable<Digit>>>().toEqualTypeOf<Digit>();
    expectTypeOf<BatchOf<(epoch: number) => readonly Letter[]>>().toEqualTypeOf<Letter>();
    expectTypeOf<BatchOf<tfd.Dataset<Digit & tf.TensorContainerObject>>>().toEqualTypeOf<
      Digit & tf.TensorContainerObject
    >();
  });

  it('hands inferred batches to the trainer: absent ones only where sources may end', () => {
    const digits = { image: tf.zeros<tf.Rank.R4>([1, 2, 2, 1]), label: tf.tensor1d([1]) };
    const letters: Letter[] = [];
    const absent = perObjective({ digits, letters });
    expectTypeOf(absent).returns.toExtend<
      AsyncGenerator<ObjectiveBatches<{ digits: typeof digits; letters: Letter[] }>>
    >();
    const cycled = perObjective({ digits, letters }, { mode: 'cycle' });
    interface Batch {
      readonly digits: { readonly image: tf.Tensor4D };
      readonly letters: Letter;
    }
    expectTypeOf(cycled).toExtend<DataSource<Batch>>();
    // @ts-expect-error -- a source may end before the other: the objectives have to allow for it
    expectTypeOf(absent).toExtend<DataSource<Batch>>();
    tf.dispose(digits);
  });

  it('refuses unknown options and modes', () => {
    const record = { x: tf.zeros([2]) };
    expect(() => perObjective({ a: record }, { modes: 'cycle' } as object)).toThrow(
      '`perObjective` has no option `modes`. Did you mean `mode`?',
    );
    expect(() => perObjective({ a: record }, { mode: 'round' as 'cycle' })).toThrow(
      "Option `mode` of `perObjective` should be 'absent', 'cycle' or 'shortest'. Found \"round\".",
    );
    expect(() => tensorBatches(record, { batchsize: 2 } as never)).toThrow(
      '`tensorBatches` has no option `batchsize`. Did you mean `batchSize`?',
    );
    record.x.dispose();
  });
});
