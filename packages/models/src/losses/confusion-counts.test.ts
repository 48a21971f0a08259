import { expectConstantMemory, startTestedBackend, testedBackends } from '@multigrad/test-support';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { ConfusionCounts } from './confusion-counts.ts';

const classes = 4;
/** Batches of labels, −1 where missing, and of predicted classes. */
const batches = fc.array(
  fc.array(fc.tuple(fc.integer({ min: -1, max: 3 }), fc.integer({ min: 0, max: 3 })), {
    minLength: 1,
    maxLength: 12,
  }),
  { minLength: 1, maxLength: 4 },
);

/** From the definition, over sets of samples. */
function expectedOf(samples: readonly (readonly [number, number])[]): number {
  const labelled = samples.filter(([label]) => label >= 0);
  const ratios = [0, 1, 2, 3].flatMap((k) => {
    const either = labelled.filter((pair) => pair.includes(k));
    const both = either.filter(([label, found]) => label === found);
    return either.length === 0 ? [] : [both.length / either.length];
  });
  return ratios.reduce((sum, ratio) => sum + ratio, 0) / ratios.length;
}

describe.each(testedBackends())('ConfusionCounts on %s', (backend) => {
  beforeAll(async () => {
    await startTestedBackend(backend);
  });

  it('has the mean intersection over union of all batches together', async () => {
    await expectConstantMemory(async () => {
      await fc.assert(
        fc.asyncProperty(batches, async (given) => {
          const counts = new ConfusionCounts(classes);
          for (const batch of given) {
            const logits = tf.tensor2d(
              batch.map(([, found]) => [0, 1, 2, 3].map((k) => (k === found ? 1 : -k))),
            );
            const labels = tf.tensor1d(
              batch.map(([label]) => label),
              'int32',
            );
            await counts.add(logits, labels);
            tf.dispose([logits, labels]);
          }
          const samples = given.flat();
          const expected = expectedOf(samples);
          const found = counts.meanIntersectionOverUnion();
          // NaN where no sample has a label.
          expect(Object.is(found, expected) || Math.abs(found - expected) < 1e-12).toBe(true);
          expect(counts.of(2, 1)).toBe(samples.filter(([l, f]) => l === 2 && f === 1).length);
        }),
        { numRuns: 30 },
      );
    });
  });

  it('is no mean over batches, and takes maps', async () => {
    await expectConstantMemory(async () => {
      const counts = new ConfusionCounts(2);
      const labels = tf.tensor3d([0, 1, 1, 1, 0, 0, 0, 0], [2, 2, 2], 'int32');
      // Class 0 everywhere.
      const logits = tf.tensor4d([1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0], [2, 2, 2, 2]);
      await counts.add(logits, labels);
      expect(counts.meanIntersectionOverUnion()).toBeCloseTo((5 / 8 + 0) / 2, 12);
      tf.dispose([labels, logits]);
    });
  });

  it('refuses what does not fit, and frees what it made', async () => {
    await expectConstantMemory(async () => {
      const counts = new ConfusionCounts(2);
      const logits = tf.zeros([3, 2]);
      const [few, wrong] = [tf.tensor1d([0, 1], 'int32'), tf.tensor1d([0, 1, 2], 'int32')];
      await expect(counts.add(logits, few)).rejects.toThrow('Found float32 [3, 2] and int32 [2]');
      await expect(counts.add(logits, wrong)).rejects.toThrow('Found 2 at position 2');
      expect(() => new ConfusionCounts(1)).toThrow('should be an integer >= 2. Found 1');
      expect(counts.meanIntersectionOverUnion()).toBeNaN();
      tf.dispose([logits, few, wrong]);
    });
  });
});
