import '@tensorflow/tfjs-layers';
import { useBackend } from '@multigrad/backends';
import { integrateGradients } from '@multigrad/core';
import { mgda } from '@multigrad/strategy-mgda';
import {
  expectConstantMemory,
  expectExactGradients,
  expectGradientByDifferences,
  testedBackends,
} from '@multigrad/test-support';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

// A gradient penalty is an objective with a gradient in it: the critic of a WGAN-GP (Gulrajani et al. 2017), whose loss and
// penalty are two objectives here.

describe.each(testedBackends())('a gradient penalty as an objective, on %s', (backend) => {
  let variables: tf.Variable[] = [];
  let samples: tf.Tensor4D;

  beforeAll(async () => {
    await useBackend(backend);
    const shapes = [[3, 3, 1, 4], [4], [36 * 4, 8], [8], [8, 1]];
    variables = shapes.map((shape, k) =>
      tf.tidy(() => tf.variable(tf.mul(tf.randomNormal(shape, 0, 1, 'float32', k + 1), 0.4))),
    );
    samples = tf.randomNormal([5, 6, 6, 1], 0, 1, 'float32', 9);
  });

  afterAll(() => {
    tf.dispose([...variables, samples]);
  });

  function critic(x: tf.Tensor4D): tf.Tensor {
    const [filter, bias, first, second, last] = variables;
    // Smooth, so that differences over a step mean something.
    const features = tf.softplus(
      tf.add(tf.conv2d(x, filter as unknown as tf.Tensor4D, 1, 'same'), bias!),
    );
    const hidden = tf.tanh(tf.add(tf.matMul(tf.reshape(features, [5, 36 * 4]), first!), second!));
    return tf.matMul(hidden, last!);
  }

  /** `mean (‖∂D/∂x‖ − 1)²`. */
  function penalty(): tf.Scalar {
    const gradient = tf.grad((x) => tf.sum(critic(x as tf.Tensor4D)))(samples);
    const norms = tf.sqrt(tf.sum(tf.square(gradient), [1, 2, 3]));
    return tf.mean(tf.square(tf.sub(norms, 1)));
  }

  const losses = (): Record<string, tf.Scalar> => ({
    critic: tf.tidy(() => tf.mean(critic(samples))),
    penalty: tf.tidy(penalty),
  });

  it('has the derivative that differences say', async () => {
    await expectConstantMemory(() => {
      expectGradientByDifferences(() => tf.tidy(penalty), variables);
    });
  });

  it('gives the engine the gradients of variableGrads, and leaves nothing behind', async () => {
    await expectExactGradients(losses, variables);
    await expectConstantMemory(async () => {
      const {
        gradients,
        losses: values,
        groups,
      } = await integrateGradients(mgda(), losses, variables);
      expect(values['penalty']).toBeGreaterThan(0);
      expect(Object.keys(gradients)).toHaveLength(variables.length);
      expect(groups.flatMap(({ objectives }) => objectives)).toContain('penalty');
      tf.dispose(gradients);
    });
  });
});
