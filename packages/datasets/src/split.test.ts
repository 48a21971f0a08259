import { expectConstantMemory } from '@multigrad/test-support';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import type { MemorySource } from './batch-source.ts';
import { assertEveryClass, splitBy, subset } from './split.ts';

const source: MemorySource<{ index: tf.Tensor1D }> = {
  count: 6,
  batch: (indices) => ({ index: tf.tensor1d(indices, 'int32') }),
};

function read(part: Pick<typeof source, 'batch'>, ...indices: number[]): number[] {
  const { index } = part.batch(Int32Array.from(indices));
  const values = [...index.dataSync()];
  index.dispose();
  return values;
}

describe('splitBy', () => {
  it('gives each sample to the part that the rule names', async () => {
    await expectConstantMemory(() => {
      const { odd, even } = splitBy(source, ['odd', 'even'], (i) =>
        i === 5 ? null : i % 2 === 1 ? 'odd' : 'even',
      );
      expect([odd.count, even.count]).toEqual([2, 3]);
      expect(read(odd, 1, 0)).toEqual([3, 1]);
      expect(read(even, 0, 1, 2)).toEqual([0, 2, 4]);
      expect(() => odd.batch(Int32Array.of(2))).toThrow(
        "A sample's position should be an integer from 0 to 1. Found 2.",
      );
    });
  });

  it('refuses parts without samples and names that it does not know', () => {
    expect(() => splitBy(source, ['train', 'test'], () => 'train')).toThrow(
      'Each part of a split should have samples. Found none for `test` among 6.',
    );
    expect(() => splitBy(source, ['train'], () => 'dev' as 'train')).toThrow(
      'should return one of train, or null. Found "dev" for sample 0.',
    );
  });
});

describe('subset', () => {
  it('keeps the order of the positions', async () => {
    await expectConstantMemory(() => {
      expect(read(subset(source, [5, 5, 2]), 0, 1, 2)).toEqual([5, 5, 2]);
    });
  });

  it('refuses positions beyond the source', () => {
    for (const wrong of [6, -1, 0.5]) {
      expect(() => subset(source, [0, wrong])).toThrow(
        `A sample's position should be an integer from 0 to 5. Found ${wrong}.`,
      );
    }
  });
});

describe('assertEveryClass', () => {
  it('names the classes that are absent', () => {
    expect(() => assertEveryClass([2, 0, 1], 3)).not.toThrow();
    expect(() => assertEveryClass([2, 2], 4, 'labels of fold 1')).toThrow(
      'labels of fold 1: expected each of 4 classes. Found none of class 0, 1, 3.',
    );
  });
});
