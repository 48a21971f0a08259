import { expectConstantMemory } from '@multigrad/test-support';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import * as data from '@tensorflow/tfjs-data';
import { beforeAll, describe, expect, it } from 'vitest';
import { datasetBatches } from './tf-data.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

type Batch = { x: tf.Tensor2D; label: tf.Tensor1D };
const samples = Array.from({ length: 10 }, (_, i) => ({ x: [i, -i], label: i % 3 }));
const shuffled = (epoch: number) => data.array(samples).shuffle(10, `seed ${epoch}`).batch(4);

async function read(batches: AsyncIterable<Batch>): Promise<number[][]> {
  const labels: number[][] = [];
  for await (const { x, label } of batches) {
    expect(label.dtype).toBe('int32');
    const rows = x.arraySync();
    expect([...label.dataSync()]).toEqual(rows.map(([i]) => i! % 3));
    labels.push(rows.map(([i]) => i!));
    tf.dispose([x, label]);
  }
  return labels;
}

describe('datasetBatches', () => {
  it('makes labels integers, in an order of the epoch that a resumed run sees too', async () => {
    await expectConstantMemory(async () => {
      const batches = datasetBatches<Batch>(shuffled, { labels: ['label'] });
      const whole = await read(batches(3));
      expect(whole.map(({ length }) => length)).toEqual([4, 4, 2]);
      expect(await read(batches(3))).toEqual(whole);
      expect(await read(batches(3, 2))).toEqual(whole.slice(2));
      expect(await read(batches(3, 3))).toEqual([]);
      expect(await read(batches(4))).not.toEqual(whole);
    });
  });

  it('makes NaN a missing label', async () => {
    await expectConstantMemory(async () => {
      const dataset = data.array([{ label: 1 }, { label: NaN }]).batch(2);
      for await (const { label } of datasetBatches<{ label: tf.Tensor1D }>(dataset, {
        labels: ['label'],
      })(0)) {
        expect([...label.dataSync()]).toEqual([1, -1]);
        label.dispose();
      }
    });
  });

  it.each([
    ['no records', data.array([1, 2]).batch(2), 'Found a Tensor'],
    ['scalars', data.array([{ x: 1 }]), 'Found 1 under `x`'],
    ['nested records', data.array([{ x: { y: 1 } }]).batch(1), 'under `x`'],
    ['labels that it lacks', data.array([{ x: 1 }]).batch(1), '(x). Found `label`'],
    [
      'labels that are no integers',
      data.array([{ label: 1 }, { label: 0.5 }]).batch(2),
      'Found 0.5',
    ],
  ])('refuses %s, and leaves nothing behind', async (_, dataset, message) => {
    await expectConstantMemory(async () => {
      const batches = datasetBatches(dataset, { labels: ['label'] });
      await expect(read(batches(0) as AsyncIterable<Batch>)).rejects.toThrow(message);
    });
  });

  it('says that an epoch is shorter than what was trained', async () => {
    await expectConstantMemory(async () => {
      const batches = datasetBatches<Batch>(shuffled, { labels: ['label'] });
      await expect(read(batches(0, 5))).rejects.toThrow('Found 3: these are other data.');
    });
  });
});
