import { expectConstantMemory, testedBackends } from '@multigrad/test-support';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { relativeDifference } from '../testing/compare-backends.ts';
import { normal } from '../testing/seeded-tensors.ts';
import { useBackend } from '../use-backend.ts';

describe.each(testedBackends())('tf.batchNorm on %s', (backend) => {
  beforeAll(async () => {
    await useBackend(backend);
  });

  it('is its definition for statistics of any axes', async () => {
    const shape = [2, 3, 4, 5];
    const axes = fc.subarray([0, 1, 2, 3]);
    await expectConstantMemory(() => {
      fc.assert(
        fc.property(axes, (own) => {
          tf.tidy(() => {
            const of = shape.map((length, axis) => (own.includes(axis) ? length : 1));
            const statistic = (seed: number) => normal(of, seed) as tf.Tensor4D;
            const x = normal(shape, 1) as tf.Tensor4D;
            const [mean, offset, scale] = [statistic(2), statistic(3), statistic(4)];
            const variance = tf.square(statistic(5));
            const found = tf.batchNorm(x, mean, variance, offset, scale, 0.01).dataSync();
            const at = (statistics: tf.Tensor, i: number): number => {
              const places = [
                Math.floor(i / 60),
                Math.floor(i / 20) % 3,
                Math.floor(i / 5) % 4,
                i % 5,
              ];
              const index = of.reduce(
                (flat, length, axis) => flat * length + (length > 1 ? places[axis]! : 0),
                0,
              );
              return statistics.dataSync()[index]!;
            };
            const expected = Array.from(
              x.dataSync(),
              (value, i) =>
                (at(scale, i) * (value - at(mean, i))) / Math.sqrt(at(variance, i) + 0.01) +
                at(offset, i),
            );
            expect(relativeDifference([...found], expected)).toBeLessThan(1e-5);
          });
        }),
        { numRuns: 16 },
      );
    });
  });
});
