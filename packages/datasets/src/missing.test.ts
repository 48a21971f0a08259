import { expectConstantMemory } from '@multigrad/test-support';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import type { MemorySource } from './batch-source.ts';
import { withMissing } from './missing.ts';

const source: MemorySource<{ image: tf.Tensor3D; label: tf.Tensor1D }> = {
  count: 4000,
  batch: (indices) => ({
    image: tf.ones([indices.length, 2, 3]),
    label: tf.tensor1d(
      indices.map((i) => i % 10),
      'int32',
    ),
  }),
};
const all = Int32Array.from({ length: source.count }, (_, i) => i);

describe('withMissing', () => {
  it('takes away as many as it is told, each entry on its own, and says which', async () => {
    await expectConstantMemory(async () => {
      const partial = withMissing(source, { rates: { image: 0.25, label: 0.5 }, seed: 3 });
      const batch = await partial.batch(all, { epoch: 0 });
      const [hasImage, hasLabel] = [
        batch.present.image!.dataSync(),
        batch.present.label!.dataSync(),
      ];
      const share = (of: ArrayLike<number>): number =>
        Array.from(of).reduce((sum, value) => sum + value, 0) / all.length;
      // Five standard deviations of a mean of 4000 draws.
      expect(Math.abs(share(hasImage) - 0.75)).toBeLessThan(5 * Math.sqrt((0.25 * 0.75) / 4000));
      expect(Math.abs(share(hasLabel) - 0.5)).toBeLessThan(5 * Math.sqrt(0.25 / 4000));
      const both = share(hasImage.map((value, i) => value * hasLabel[i]!));
      expect(Math.abs(both - 0.375)).toBeLessThan(5 * Math.sqrt((0.375 * 0.625) / 4000));
      const [images, labels] = [batch.image.dataSync(), batch.label.dataSync()];
      expect([batch.image.shape, batch.label.dtype]).toEqual([[4000, 2, 3], 'int32']);
      all.forEach((i) => {
        expect(labels[i]).toBe(hasLabel[i] === 1 ? i % 10 : -1);
        expect(images[6 * i + 5]).toBe(hasImage[i]);
      });
      tf.dispose(batch);
    });
  });

  it('takes the same away in every epoch and order', async () => {
    await expectConstantMemory(async () => {
      const partial = withMissing(source, { rates: { label: 0.5 } });
      const read = async (indices: Int32Array, epoch: number): Promise<number[]> => {
        const batch = await partial.batch(indices, { epoch });
        const labels = [...batch.label.dataSync()];
        tf.dispose(batch);
        return labels;
      };
      const first = await read(Int32Array.of(7, 8, 9), 0);
      expect(await read(Int32Array.of(9, 7, 8), 5)).toEqual([first[2], first[0], first[1]]);
      expect(await read(Int32Array.of(7, 8, 9), 0)).toEqual(first);
    });
  });

  it('refuses rates out of range and entries that are not there', async () => {
    expect(() => withMissing(source, { rates: { label: 1.5 } })).toThrow(
      'Option `rates.label` of `withMissing` should be a number from 0 to 1. Found 1.5.',
    );
    await expectConstantMemory(async () => {
      const partial = withMissing(source, { rates: { label: 0.5, sound: 0.5 } as never });
      await expect(partial.batch(Int32Array.of(0), { epoch: 0 })).rejects.toThrow(
        'should name entries of a batch (image, label). Found `sound`.',
      );
    });
  });
});
