import { expectConstantMemory } from '@multigrad/test-support';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BatchSource } from './batch-source.ts';
import { batches, batchesByEpoch, batchesPerEpoch } from './batches.ts';
import type { BatchesOptions } from './batching-options.ts';
import { epochOrder } from './epoch-order.ts';

function positions(count: number): BatchSource<{ index: tf.Tensor1D }> {
  return { count, batch: (indices) => ({ index: tf.tensor1d(indices, 'int32') }) };
}

/** The positions in each batch; batches are disposed. */
async function collect(iterable: AsyncIterable<{ index: tf.Tensor1D }>): Promise<number[][]> {
  const found: number[][] = [];
  for await (const batch of iterable) {
    found.push([...batch.index.dataSync()]);
    tf.dispose(batch);
  }
  return found;
}

const options = fc.record({
  batchSize: fc.integer({ min: 1, max: 9 }),
  shuffleSeed: fc.option(fc.nat()),
  dropRemainder: fc.boolean(),
  epoch: fc.nat(),
});

describe('batches', () => {
  it('shows each sample exactly once an epoch, but for a dropped remainder', async () => {
    await expectConstantMemory(() =>
      fc.assert(
        fc.asyncProperty(fc.integer({ min: 1, max: 40 }), options, async (count, given) => {
          const found = await collect(batches(positions(count), given));
          const sizes = found.map((batch) => batch.length);
          const rest = count % given.batchSize;
          const full = Array<number>(Math.floor(count / given.batchSize)).fill(given.batchSize);
          expect(sizes).toEqual(rest > 0 && !given.dropRemainder ? [...full, rest] : full);
          expect(found).toHaveLength(
            batchesPerEpoch(count, {
              batchSize: given.batchSize,
              dropRemainder: given.dropRemainder,
            }),
          );
          const seen = found.flat();
          expect(new Set(seen).size).toBe(seen.length);
          expect(seen.every((index) => index >= 0 && index < count)).toBe(true);
        }),
        { numRuns: 50 },
      ),
    );
  });

  it('repeats its order for the same seed and epoch, and goes on from any batch', async () => {
    await expectConstantMemory(() =>
      fc.assert(
        fc.asyncProperty(options, fc.integer({ min: 0, max: 8 }), async (given, firstBatch) => {
          const whole = batches(positions(37), given);
          const found = await collect(whole);
          expect(await collect(whole)).toEqual(found);
          const rest = await collect(batches(positions(37), { ...given, firstBatch }));
          expect(rest).toEqual(found.slice(firstBatch));
        }),
        { numRuns: 30 },
      ),
    );
  });

  it('orders epochs and seeds differently, each far from the stored order', () => {
    const count = 500;
    const orders = [0, 1, 2].flatMap((seed) =>
      [0, 1, 2].map((epoch) => epochOrder(count, seed, epoch)),
    );
    const stored = epochOrder(count, null, 5);
    expect(stored).toEqual(Int32Array.from({ length: count }, (_, i) => i));
    const all = [stored, ...orders];
    all.forEach((a, i) => {
      for (const b of all.slice(i + 1)) {
        // The number of agreements of two random permutations is Poisson with mean 1: more than 12 has odds of 6e-11.
        expect(a.filter((value, at) => value === b[at]).length).toBeLessThan(13);
      }
    });
  });

  it('serves the epochs of a trainer', async () => {
    await expectConstantMemory(async () => {
      const given = { batchSize: 4, shuffleSeed: 5, dropRemainder: true } as const;
      const epochs = batchesByEpoch(positions(11), given);
      expect(await collect(epochs(3))).toEqual(
        await collect(batches(positions(11), { ...given, epoch: 3 })),
      );
      expect(await collect(epochs(3, 1))).toEqual((await collect(epochs(3))).slice(1));
      expect(await collect(epochs(3))).not.toEqual(await collect(epochs(4)));
    });
  });

  it('holds nothing when the consumer stops early or throws', async () => {
    await expectConstantMemory(async () => {
      for await (const batch of batches(positions(10), { batchSize: 2 })) {
        tf.dispose(batch);
        break;
      }
      const failing = (async () => {
        for await (const batch of batches(positions(10), { batchSize: 2 })) {
          tf.dispose(batch);
          throw new Error('the consumer gave up');
        }
      })();
      await expect(failing).rejects.toThrow('the consumer gave up');
    });
  });

  it('makes a batch only when it is asked for', async () => {
    await expectConstantMemory(async () => {
      const made: number[] = [];
      const source: BatchSource<tf.Tensor1D> = {
        count: 6,
        batch(indices) {
          made.push(...indices);
          return tf.tensor1d(indices, 'int32');
        },
      };
      const iterator = batches(source, { batchSize: 2 })[Symbol.asyncIterator]();
      expect(made).toEqual([]);
      const first = await iterator.next();
      expect(made).toEqual([0, 1]);
      tf.dispose(first.value as tf.Tensor1D);
    });
  });

  it('passes on what the source throws', async () => {
    const broken: BatchSource<tf.Tensor1D> = {
      count: 1,
      batch() {
        throw new Error('the disk is gone');
      },
    };
    await expectConstantMemory(() =>
      expect(batches(broken)[Symbol.asyncIterator]().next()).rejects.toThrow('the disk is gone'),
    );
  });

  it('refuses options out of range', () => {
    const make = (given: BatchesOptions) => () => batches(positions(3), given);
    expect(make({ batchSize: 0 })).toThrow(
      'Option `batchSize` of `batches` should be an integer >= 1. Found 0.',
    );
    expect(make({ epoch: -1 })).toThrow('`epoch`');
    expect(make({ firstBatch: 0.5 })).toThrow('`firstBatch`');
    expect(make({ shuffleSeed: Number.NaN })).toThrow('`shuffleSeed`');
    expect(() => batchesByEpoch(positions(3), { dropRemainder: 'no' as never })).toThrow(
      '`dropRemainder`',
    );
    expect(() => batchesByEpoch(positions(3))(-1)).toThrow('`epoch`');
    expect(() => batchesPerEpoch(3, { batchSize: 1.5 })).toThrow('`batchSize`');
  });
});

describe('prefetch', () => {
  /** A source that takes its time, and notes what it was asked for. */
  function slow(count: number, made: number[]): BatchSource<{ index: tf.Tensor1D }> {
    return {
      count,
      batch: async (indices) => {
        made.push(indices[0]!);
        await Promise.resolve();
        return { index: tf.tensor1d(indices, 'int32') };
      },
    };
  }

  it('begins batches ahead, in the same order as without', async () => {
    await expectConstantMemory(async () => {
      const given = { batchSize: 2, shuffleSeed: 3, epoch: 1 };
      const expected = await collect(batches(positions(11), given));
      for (const prefetch of [0, 1, 3, 20]) {
        expect(await collect(batches(slow(11, []), { ...given, prefetch }))).toEqual(expected);
      }
      const made: number[] = [];
      const iterator = batches(slow(8, made), { batchSize: 1, prefetch: 2 })[
        Symbol.asyncIterator
      ]();
      const first = await iterator.next();
      expect(made).toEqual([0, 1, 2]);
      tf.dispose((first.value as { index: tf.Tensor1D }).index);
      await iterator.return!();
      expect((await iterator.next()).done).toBe(true);
    });
  });

  it('frees what was begun when the consumer leaves or a batch fails', async () => {
    await expectConstantMemory(async () => {
      for await (const batch of batches(slow(10, []), { batchSize: 2, prefetch: 3 })) {
        tf.dispose(batch);
        break;
      }
      const failing: BatchSource<{ index: tf.Tensor1D }> = {
        count: 10,
        batch: async (indices) => {
          await Promise.resolve();
          if (indices[0] === 4) throw new Error('the disk is gone');
          return { index: tf.tensor1d(indices, 'int32') };
        },
      };
      await expect(collect(batches(failing, { batchSize: 2, prefetch: 4 }))).rejects.toThrow(
        'the disk is gone',
      );
    });
  });

  it('tells the source the epoch', async () => {
    await expectConstantMemory(async () => {
      const epochs: number[] = [];
      const source: BatchSource<tf.Tensor1D> = {
        count: 1,
        batch: (indices, { epoch }) => {
          epochs.push(epoch);
          return tf.tensor1d(indices, 'int32');
        },
      };
      for await (const batch of batches(source, { epoch: 7 })) tf.dispose(batch);
      expect(epochs).toEqual([7]);
    });
  });
});
