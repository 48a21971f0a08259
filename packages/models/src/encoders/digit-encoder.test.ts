import { expectConstantMemory, startTestedBackend, testedBackends } from '@multigrad/test-support';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, it } from 'vitest';
import { classifierHead } from '../heads/classifier-head.ts';
import { concatenation } from '../fusions/concatenation.ts';
import { digitEncoder, type DigitEncoderOptions } from './digit-encoder.ts';
import { namedVariables } from '../weights/network-weights.ts';

const small: DigitEncoderOptions = { name: 'gray', channels: 2, width: 3, features: 5, seed: 1 };

function weightsOf(model: LayersModel): Map<string, Float32Array> {
  return new Map(
    Array.from(namedVariables([model]), ([name, variable]) => [
      name,
      variable.dataSync<'float32'>(),
    ]),
  );
}

/** The weights of a model that is made and thrown away. */
function weights(options: DigitEncoderOptions): Map<string, Float32Array> {
  const model = digitEncoder(options);
  const found = weightsOf(model);
  model.dispose();
  return found;
}

describe.each(testedBackends())('on %s', (backend) => {
  beforeAll(async () => {
    await startTestedBackend(backend);
  });

  describe('digitEncoder', () => {
    it('has the layers and the size of the published encoder', async () => {
      await expectConstantMemory(() => {
        const found = weights({ name: 'color', channels: 3 });
        const sizes = Object.fromEntries(Array.from(found, ([name, { length }]) => [name, length]));
        expect(sizes).toEqual({
          'color/norm/gamma': 3,
          'color/norm/beta': 3,
          'color/norm/moving_mean': 3,
          'color/norm/moving_variance': 3,
          'color/conv1/kernel': 5 * 5 * 3 * 32,
          'color/conv1/bias': 32,
          'color/conv2/kernel': 3 * 3 * 32 * 32,
          'color/conv2/bias': 32,
          'color/conv3/kernel': 3 * 3 * 32 * 64,
          'color/conv3/bias': 64,
          'color/conv4/kernel': 3 * 3 * 64 * 64,
          'color/conv4/bias': 64,
          'color/dense/kernel': 64 * 512,
          'color/dense/bias': 512,
        });
      });
    });

    it('computes what its description says', async () => {
      await expectConstantMemory(() => {
        const encoder = digitEncoder({ ...small, inputHeight: 9, inputWidth: 12 });
        tf.tidy(() => {
          const x = tf.randomUniform<tf.Rank.R4>([2, 9, 12, 2], 0, 1, 'float32', 4);
          const weight = (name: string) => namedVariables([encoder]).get(`gray/${name}`)!;
          const convolve = (z: tf.Tensor4D, layer: string, strides: number) =>
            tf.relu(
              tf.add(
                tf.conv2d(z, weight(`${layer}/kernel`) as unknown as tf.Tensor4D, strides, 'same'),
                weight(`${layer}/bias`),
              ),
            ) as tf.Tensor4D;
          const { mean, variance } = tf.moments(x, [0, 1, 2]);
          const normal = tf.div(tf.sub(x, mean), tf.sqrt(tf.add(variance, 1e-5))) as tf.Tensor4D;
          let z = tf.maxPool(convolve(normal, 'conv1', 1), 3, 2, 'same');
          expect(z.shape).toEqual([2, 5, 6, 3]);
          z = convolve(convolve(convolve(z, 'conv2', 1), 'conv3', 2), 'conv4', 1);
          expect(z.shape).toEqual([2, 3, 3, 6]);
          const dense = tf.matMul(
            tf.mean(z, [1, 2]) as tf.Tensor2D,
            weight('dense/kernel') as unknown as tf.Tensor2D,
          );
          const expected = tf.relu(tf.add(dense, weight('dense/bias'))).dataSync();
          const found = (encoder.apply(x, { training: true }) as tf.Tensor).dataSync();
          expect(found).toHaveLength(10);
          expect(expected.some((value) => value > 0)).toBe(true);
          found.forEach((value, i) => {
            expect(value).toBeCloseTo(expected[i]!, 5);
          });
        });
        encoder.dispose();
      });
    });

    it('starts as PyTorch does: uniform on ± 1/√fan-in, kernel and bias', async () => {
      await expectConstantMemory(() => {
        const found = weights({ name: 'gray', channels: 1, seed: 2 });
        const fanIn = { conv1: 25, conv2: 9 * 32, conv3: 9 * 32, conv4: 9 * 64, dense: 64 };
        for (const [layer, inputs] of Object.entries(fanIn)) {
          const bound = 1 / Math.sqrt(inputs);
          for (const kind of ['kernel', 'bias']) {
            const values = found.get(`gray/${layer}/${kind}`)!;
            expect(Math.max(...values.map(Math.abs))).toBeLessThanOrEqual(bound * (1 + 1e-6));
            const n = values.length;
            const mean = values.reduce((sum, value) => sum + value, 0) / n;
            const square = values.reduce((sum, value) => sum + value * value, 0) / n;
            // Five standard errors of the mean (bound/√3n) and of the mean square (bound² √(4/45n)).
            expect(Math.abs(mean)).toBeLessThan((5 * bound) / Math.sqrt(3 * n));
            expect(Math.abs(square - bound ** 2 / 3)).toBeLessThan(
              5 * bound ** 2 * Math.sqrt(4 / (45 * n)),
            );
          }
        }
        expect([...found.get('gray/norm/gamma')!]).toEqual([1]);
        expect([...found.get('gray/norm/beta')!]).toEqual([0]);
      });
    });

    it("starts as He et al. say with initialisation 'he'", async () => {
      await expectConstantMemory(() => {
        const found = weights({ name: 'gray', channels: 1, seed: 2, initialisation: 'he' });
        const values = found.get('gray/conv4/kernel')!;
        const deviation = Math.sqrt(2 / (9 * 64));
        expect(Math.max(...values.map(Math.abs))).toBeLessThanOrEqual(2 * deviation);
        const square = values.reduce((sum, value) => sum + value * value, 0) / values.length;
        // A normal cut off at two deviations keeps 0.774 of its variance; 1 % is nine standard errors here.
        expect(square / (0.774 * deviation ** 2)).toBeCloseTo(1, 1.7);
        expect(found.get('gray/conv4/bias')!.every((value) => value === 0)).toBe(true);
      });
    });

    it.each(['pytorch', 'he'] as const)(
      'is the same for the same seed, seed 0 too (%s)',
      async (initialisation) => {
        await expectConstantMemory(() => {
          for (const seed of [0, 7]) {
            const options = { ...small, seed, initialisation };
            expect(weights(options)).toEqual(weights(options));
          }
          const unseeded = { name: 'gray', channels: 2, width: 3, features: 5, initialisation };
          expect(weights(unseeded)).toEqual(weights({ ...unseeded, seed: 0 }));
        });
      },
    );

    it('draws other numbers for another seed, name or layer', async () => {
      await expectConstantMemory(() => {
        const wide = { ...small, channels: 3, width: 32 };
        const first = (options: DigitEncoderOptions, layer: string) =>
          weights(options).get(`${options.name}/${layer}`)!.subarray(0, 32);
        const streams = [
          first(wide, 'conv2/kernel'),
          first({ ...wide, seed: 2 }, 'conv2/kernel'),
          first({ ...wide, name: 'color' }, 'conv2/kernel'),
          first(wide, 'conv2/bias'),
          // The same fan-in, so the same stream would give the same numbers.
          first(wide, 'conv3/kernel'),
          first(wide, 'conv3/bias'),
        ];
        streams.forEach((a, i) => {
          for (const b of streams.slice(i + 1)) {
            expect(a.some((value, k) => Math.abs(value - b[k]!) > 1e-3)).toBe(true);
          }
        });
      });
    });

    it('refuses options out of range and holds nothing', async () => {
      await expectConstantMemory(() => {
        expect(() => digitEncoder({ ...small, width: 0 })).toThrow(
          'Option `width` of `digitEncoder` should be an integer >= 1. Found 0.',
        );
        expect(() => digitEncoder({ ...small, name: '/gray' })).toThrow('Found "/gray".');
        expect(() => digitEncoder({ name: 'gray' } as DigitEncoderOptions)).toThrow(
          'Option `channels` of `digitEncoder` is required. Found undefined.',
        );
        expect(() => digitEncoder({ ...small, seed: -1 })).toThrow('`seed`');
        expect(() => digitEncoder({ ...small, initialisation: 'xavier' as 'he' })).toThrow(
          '"xavier"',
        );
      });
    });
  });

  describe('classifierHead', () => {
    it('is linear, and starts from its seed', async () => {
      await expectConstantMemory(() => {
        const options = { name: 'head', inputs: 4, classes: 3, seed: 5 };
        const [head, again] = [classifierHead(options), classifierHead(options)];
        const found = weightsOf(head);
        expect(found).toEqual(weightsOf(again));
        expect([...found.keys()]).toEqual(['head/kernel', 'head/bias']);
        tf.tidy(() => {
          const z = tf.tensor2d([[1, -2, 3, 4]]);
          const kernel = found.get('head/kernel')!;
          const expected = Array.from(
            found.get('head/bias')!,
            (bias, c) =>
              bias + kernel[c]! - 2 * kernel[3 + c]! + 3 * kernel[6 + c]! + 4 * kernel[9 + c]!,
          );
          (head.apply(z) as tf.Tensor).dataSync().forEach((logit, c) => {
            expect(logit).toBeCloseTo(expected[c]!, 5);
          });
        });
        head.dispose();
        again.dispose();
      });
    });

    it('refuses options out of range', () => {
      expect(() => classifierHead({ name: 'head', inputs: 4, classes: 1 })).toThrow(
        'Option `classes` of `classifierHead` should be an integer >= 2. Found 1.',
      );
      expect(() => classifierHead({ name: 'head', classes: 3 } as never)).toThrow('`inputs`');
    });
  });

  describe('concatenation', () => {
    it('puts feature vectors side by side, in the order of the inputs', async () => {
      await expectConstantMemory(() => {
        const fusion = concatenation({ inputs: { b: 1, a: 2 } });
        tf.tidy(() => {
          const fused = fusion.apply([tf.tensor2d([[9]]), tf.tensor2d([[1, 2]])]) as tf.Tensor;
          expect(fused.arraySync()).toEqual([[9, 1, 2]]);
        });
        expect(fusion.weights).toEqual([]);
        fusion.dispose();
      });
    });

    it('refuses options out of range', () => {
      expect(() => concatenation({ inputs: { a: 1 } })).toThrow(
        'Option `inputs` of `concatenation` should name at least two modalities. Found 1.',
      );
      expect(() => concatenation({ inputs: { a: 1, b: 0 } })).toThrow(
        'Option `inputs.b` of `concatenation` should be an integer >= 1. Found 0.',
      );
    });
  });
});
