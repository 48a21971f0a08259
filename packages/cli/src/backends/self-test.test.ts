import '@tensorflow/tfjs-layers';
import { useBackend } from '@multigrad/backends';
import { expectConstantMemory } from '@multigrad/test-support';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { gradientTolerance, selfTest } from './self-test.ts';

beforeAll(async () => {
  await useBackend('cpu');
});

afterEach(() => {
  vi.restoreAllMocks();
});

/** A clock that goes on by a quarter of a second with every look. */
function clock(): () => number {
  let time = 0;
  return () => (time += 0.25);
}

describe('the self-test', () => {
  it('finds the gradients right and counts operations by the clock', async () => {
    const result = await expectConstantMemory(() => selfTest(0.1, clock()));
    expect(result.gradientError).toBeGreaterThan(0);
    expect(result.gradientError).toBeLessThan(gradientTolerance);
    // On cpu: matrices of 96, and 3 × 3 convolutions of 16 channels on 14 × 14.
    expect(result.matmul).toBeCloseTo((2 * 96 ** 3) / 0.25 / 1e9, 9);
    expect(result.convolution).toBeCloseTo((6 * 14 ** 2 * 9 * 16 ** 2) / 0.25 / 1e9, 9);
  });

  it('finds a wrong gradient, and one that is not a number', async () => {
    const shipped = tf.getKernel('Conv2DBackpropFilter', 'cpu');
    for (const [factor, expected] of [
      [1.001, 1e-3],
      [NaN, NaN],
    ] as const) {
      tf.unregisterKernel('Conv2DBackpropFilter', 'cpu');
      tf.registerKernel({
        ...shipped,
        kernelFunc: (call) => {
          const result = shipped.kernelFunc(call) as tf.TensorInfo;
          const { data } = call.backend as {
            readonly data: { get(id: object): { readonly values: Float32Array } };
          };
          const { values } = data.get(result.dataId);
          values.forEach((value, i) => (values[i] = factor * value));
          return result;
        },
      });
      const { gradientError } = await selfTest(0.1, clock());
      if (Number.isNaN(expected)) expect(gradientError).toBeNaN();
      else expect(gradientError).toBeGreaterThan(expected / 2);
    }
    tf.unregisterKernel('Conv2DBackpropFilter', 'cpu');
    tf.registerKernel(shipped);
  });
});
