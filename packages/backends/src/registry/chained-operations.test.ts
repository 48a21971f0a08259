import '@tensorflow/tfjs-layers';
import { expectConstantMemory, testedBackends } from '@multigrad/test-support';
import * as tf from '@tensorflow/tfjs-core';
import { layers, metrics } from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, it } from 'vitest';
import { useBackend } from '../use-backend.ts';

type Methods = Record<string, ((...others: unknown[]) => tf.Tensor) | undefined>;

const methodsOf = (x: tf.Tensor): Methods => x as unknown as Methods;

describe('chained operations', () => {
  it('are missing with the packages that our pages name, until a backend is chosen', () => {
    expect('flatten' in tf.Tensor.prototype).toBe(false);
    expect('sub' in tf.Tensor.prototype).toBe(false);
  });

  describe.each(testedBackends())('after useBackend(%s)', (backend) => {
    beforeAll(async () => {
      await useBackend(backend);
    });

    it('compute what the functions do', async () => {
      await expectConstantMemory(() => {
        tf.tidy(() => {
          const x = tf.tensor2d([
            [1, -2],
            [3, 4],
          ]);
          const methods = methodsOf(x);
          expect(methods['flatten']!().arraySync()).toEqual([1, -2, 3, 4]);
          expect(methods['sub']!(1).arraySync()).toEqual(tf.sub(x, 1).arraySync());
          expect(methods['mean']!(0).arraySync()).toEqual([2, 1]);
          expect(methods['toInt']!().dtype).toBe('int32');
          expect(methods['transpose']!().arraySync()).toEqual([
            [1, 3],
            [-2, 4],
          ]);
        });
      });
    });

    it('refuse a tensor that is disposed', () => {
      const x = tf.ones([2]);
      x.dispose();
      expect(() => methodsOf(x)['flatten']!()).toThrow('Tensor is disposed');
    });

    it('let layers be built that call them, and prelu and metrics be computed', async () => {
      for (const make of [layers.lstm, layers.gru, layers.simpleRNN]) {
        const layer = make({
          units: 3,
          inputShape: [4, 2],
        } as never) as tf.serialization.Serializable & {
          apply(x: tf.Tensor): tf.Tensor;
          dispose(): unknown;
        };
        tf.tidy(() => {
          expect(layer.apply(tf.ones([1, 4, 2])).shape).toEqual([1, 3]);
        });
        layer.dispose();
      }
      await expectConstantMemory(() => {
        tf.tidy(() => {
          const slope = tf.prelu(tf.tensor1d([-2, 3]), tf.tensor1d([0.5, 0.5]));
          expect(slope.arraySync()).toEqual([-1, 3]);
          const [truth, guess] = [tf.tensor1d([1, 2, 4]), tf.tensor1d([1, 3, 4])];
          const r2 = metrics.r2Score(truth, guess) as tf.Scalar;
          expect(r2.arraySync()).toBeCloseTo(1 - 1 / (14 / 3), 5);
        });
      });
    });
  });

  it('leave methods alone that are there already', async () => {
    const methods = tf.Tensor.prototype as unknown as Record<string, unknown>;
    const own = (): string => 'of the union package';
    methods['mul'] = own;
    await useBackend('cpu');
    expect(methods['mul']).toBe(own);
  });
});
