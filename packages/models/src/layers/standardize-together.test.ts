import '@tensorflow/tfjs-backend-cpu';
import { expectConstantMemory, startTestedBackend, testedBackends } from '@multigrad/test-support';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { batchNormalization } from './batch-normalization.ts';
import { dropout } from './dropout.ts';
import { NormalizedSum } from './normalized-sum.ts';
import { normalizeTogether } from './standardize-together.ts';
import { normalizeBatch } from './standardize.ts';

describe.each(testedBackends())('on %s', (backend) => {
  beforeAll(async () => {
    await startTestedBackend(backend);
  });

  type Normalize = (x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor) => tf.Tensor;

  /** Values, moments and gradients, as numbers. */
  function everything(make: (receive: (...moments: tf.Tensor[]) => void) => Normalize): number[][] {
    return tf.tidy(() => {
      const x = tf.tensor3d([5, -1, 2, 30, 7, 8, -2, 33, 0.5, 31, 1, 29], [3, 2, 2]);
      const inputs = [x, tf.tensor1d([2, 3]), tf.tensor1d([-1, 1])];
      const dy = tf.tensor3d([1, 2, -1, 0.5, 3, -2, 0.1, 0.2, 0.3, 1, -1, 2], [3, 2, 2]);
      const moments: number[][] = [];
      const normalize = make((...seen) => {
        moments.push(...seen.map((one) => [...one.dataSync()]));
      });
      const value = normalize(...(inputs as [tf.Tensor, tf.Tensor, tf.Tensor]));
      const gradients = tf.grads((...given: tf.Tensor[]) =>
        normalize(...(given as [tf.Tensor, tf.Tensor, tf.Tensor])),
      )(inputs, dy);
      return [...[value, ...gradients].map((one) => [...one.dataSync()]), ...moments];
    });
  }

  describe('batch norm over several ranks', () => {
    it.each([1, 2, 5])('with %i ranks of the same samples is that of one', async (ranks) => {
      await expectConstantMemory(() => {
        const alone = everything(
          (receive) => (x, gamma, beta) => normalizeBatch(x, gamma, beta, 1e-3, receive),
        );
        // Each of them would add the same.
        const sumNow = (values: Float64Array): void => {
          values.forEach((value, index) => (values[index] = value * ranks));
        };
        const together = everything(
          (receive) => (x, gamma, beta) =>
            normalizeTogether([{ x, gamma, beta, receive }], 1e-3, sumNow)[0]!,
        );
        together.forEach((numbers, part) => {
          numbers.forEach((value, index) => {
            expect(value).toBeCloseTo(alone[part]![index]!, 4);
          });
        });
      });
    });

    it('takes the others into account: mean and variance of all', () => {
      // This rank has 1 and 3, another one 5 and 7: sums of 4 and 12, squares of 10 and 74.
      const asked: number[][] = [];
      const sumNow = (values: Float64Array): void => {
        asked.push([...values]);
        values.set([16, 84, 4]);
      };
      const layer = batchNormalization({ epsilon: 1e-12, momentum: 0 });
      const x = tf.tensor2d([[1], [3]]);
      const y = layer.apply(x, { training: true, share: { firstSample: 0, sumNow } }) as tf.Tensor;
      const deviation = Math.sqrt(5);
      expect([...y.dataSync()].map((value) => value * deviation)).toEqual([
        expect.closeTo(-3, 5),
        expect.closeTo(-1, 5),
      ]);
      const [mean, variance] = layer.getWeights().slice(2);
      expect([mean!.dataSync()[0], variance!.dataSync()[0]]).toEqual([4, 5]);
      expect(asked).toEqual([[4, 10, 2]]);
      tf.dispose([x, y]);
      layer.dispose();
    });
  });

  describe('a sum of two batch norms', () => {
    const [first, second] = [
      [1, 10, 3, -20, 0.5, 7],
      [-2, 4, 8, 1, 1, 0],
    ];
    /** The other rank's `Σx` and `Σx²` of each channel, and its two rows, for each norm. */
    const others = [
      [3, 5, 9, 50, 2],
      [-1, 2, 30, 4, 2],
    ];
    const adding =
      (calls: number[]) =>
      (values: Float64Array): void => {
        calls.push(values.length);
        const other = values.length === 5 ? others[calls.length - 1]! : others.flat();
        values.forEach((value, index) => (values[index] = value + other[index]!));
      };

    it('is that of two layers, in one exchange: values, gradients, statistics', async () => {
      await expectConstantMemory(() => {
        tf.tidy(() => {
          const inputs = [tf.tensor2d(first!, [3, 2]), tf.tensor2d(second!, [3, 2])];
          const two = [batchNormalization(), batchNormalization()];
          const one = new NormalizedSum({
            name: 'block',
            parts: ['a', 'b'],
            momentum: 0.9,
            epsilon: 1e-5,
          });
          const callsOf = { one: [] as number[], two: [] as number[] };
          const options = (calls: number[]) => ({
            training: true,
            share: { firstSample: 0, sumNow: adding(calls) },
          });
          const apart = two.map((layer, j) => layer.apply(inputs[j]!, options(callsOf.two)));
          const together = one.apply(inputs, options(callsOf.one)) as tf.Tensor;
          expect([...together.dataSync()]).toEqual([
            ...tf.add(apart[0] as tf.Tensor, apart[1] as tf.Tensor).dataSync(),
          ]);
          expect(callsOf).toEqual({ one: [10], two: [5, 5] });
          const weights = (layer: { getWeights(): tf.Tensor[] }) =>
            layer.getWeights().map((weight) => [...weight.dataSync()]);
          const [a, b] = two.map(weights);
          // Trained variables come first in a layer's list.
          expect(weights(one)).toEqual([
            ...a!.slice(0, 2),
            ...b!.slice(0, 2),
            ...a!.slice(2),
            ...b!.slice(2),
          ]);
          expect(one.weights.map(({ originalName }) => originalName).sort()).toEqual(
            ['a', 'b'].flatMap((part) =>
              ['beta', 'gamma', 'moving_mean', 'moving_variance'].map(
                (name) => `block/${part}/${name}`,
              ),
            ),
          );
          // In inference too: by the statistics that have followed.
          const inferred = one.apply(inputs) as tf.Tensor;
          const both = two.map((layer, j) => layer.apply(inputs[j]!) as tf.Tensor);
          expect([...inferred.dataSync()]).toEqual([...tf.add(both[0]!, both[1]!).dataSync()]);
          for (const layer of [...two, one]) layer.dispose();
        });
      });
    });

    it('has the gradients of two layers', async () => {
      await expectConstantMemory(() => {
        tf.tidy(() => {
          const inputs = [tf.tensor2d(first!, [3, 2]), tf.tensor2d(second!, [3, 2])];
          const dy = tf.tensor2d([1, -2, 0.5, 3, -1, 0.25], [3, 2]);
          const doubled = (values: Float64Array): void => {
            values.forEach((value, index) => (values[index] = 2 * value));
          };
          const options = { training: true, share: { firstSample: 0, sumNow: doubled } };
          const two = [batchNormalization(), batchNormalization()];
          const one = new NormalizedSum({
            name: 'block',
            parts: ['a', 'b'],
            momentum: 0.9,
            epsilon: 1e-5,
          });
          const apart = two.map((layer, j) =>
            tf.grad((x) => layer.apply(x, options) as tf.Tensor)(inputs[j]!, dy),
          );
          const together = tf.grads((...given) => one.apply(given, options) as tf.Tensor)(
            inputs,
            dy,
          );
          together.forEach((gradient, j) => {
            expect([...gradient.dataSync()]).toEqual([...apart[j]!.dataSync()]);
          });
          for (const layer of [...two, one]) layer.dispose();
        });
      });
    });
  });

  describe('dropout', () => {
    it('masks a sample by its place among those of all ranks', async () => {
      await expectConstantMemory(() => {
        const layer = dropout({ name: 'drop', rate: 0.5, seed: 2 });
        const masks = tf.tidy(() => {
          const apply = (samples: number, firstSample: number): number[] => {
            const x = tf.ones([samples, 3, 4]);
            const y = layer.apply(x, {
              training: true,
              step: 5,
              share: { firstSample, sumNow: null },
            }) as tf.Tensor;
            return [...y.dataSync()];
          };
          return [apply(7, 0), [...apply(4, 0), ...apply(2, 4), ...apply(1, 6)]];
        });
        expect(masks[1]).toEqual(masks[0]);
      });
    });
  });
});
