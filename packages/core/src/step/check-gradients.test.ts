import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers';
import {
  convolutionalNetwork,
  expectConstantMemory,
  normalisedNetwork,
  variableOf,
} from '@multigrad/test-support';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { checkGradients } from './check-gradients.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

/** A square whose gradient is wrong by a factor. */
function squareWith(factor: number): (x: tf.Tensor) => tf.Tensor {
  return tf.customGrad((x) => ({
    value: tf.square(x as tf.Tensor),
    gradFunc: (dy: tf.Tensor) => tf.mul(dy, tf.mul(x as tf.Tensor, factor)),
  }));
}

describe('checkGradients', () => {
  it.each([
    ['a convolutional network', convolutionalNetwork],
    ['one with batch norm and dropout', normalisedNetwork],
  ])('agrees with the gradients of %s, and changes nothing', async (_, make) => {
    await expectConstantMemory(async () => {
      const network = make();
      const before = network.variables.map((variable) => variable.dataSync().slice());
      const checks = await checkGradients(network.losses, network.variables, { samples: 2 });
      expect(checks.length).toBe(3 * network.variables.length);
      expect(checks.filter(({ agrees }) => !agrees)).toEqual([]);
      expect(network.variables.map((variable) => variable.dataSync())).toEqual(before);
      network.dispose();
    });
  });

  it.each([1.9, 4, -2, 0])('finds a gradient of %f x for x²', async (factor) => {
    await expectConstantMemory(async () => {
      const right = variableOf(() => tf.tensor1d([1, -2]), 'right');
      const wrong = variableOf(() => tf.tensor1d([3, 0.5]), 'wrong');
      const losses = (): Record<string, tf.Tensor> => ({
        a: tf.sum(tf.square(right)),
        b: tf.add(tf.sum(tf.square(right)), tf.sum(squareWith(factor)(wrong))),
      });
      const checks = await checkGradients(losses, [right, wrong]);
      expect(
        checks.map(({ variable, objective, agrees }) => [variable, objective, agrees]),
      ).toEqual([
        ['right', 'a', true],
        ['right', 'b', true],
        ['wrong', 'b', false],
      ]);
      const { gradient, difference, element } = checks[2]!;
      expect(gradient).toBeCloseTo(factor * [3, 0.5][element]!, 3);
      expect(difference).toBeCloseTo(2 * [3, 0.5][element]!, 1);
      tf.dispose([right, wrong]);
    });
  });

  it('refuses losses that are not finite, and leaves the variable as it was', async () => {
    await expectConstantMemory(async () => {
      const v = variableOf(() => tf.scalar(1));
      await expect(
        checkGradients(() => ({ a: tf.log(tf.sub(v, 1)) }), [v], { samples: 1 }),
      ).rejects.toThrow('The loss of objective `a` should be finite');
      expect(v.dataSync()[0]).toBe(1);
      await expect(
        checkGradients(() => ({ a: tf.square(v) }), [v], { samples: 0 }),
      ).rejects.toThrow('`samples`');
      v.dispose();
    });
  });
});
