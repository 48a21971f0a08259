import '@tensorflow/tfjs-layers';
import { expectSecondDerivative, testedBackends } from '@multigrad/test-support';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, it } from 'vitest';
import { useBackend } from '../use-backend.ts';

type F = (x: tf.Tensor) => tf.Tensor;

const weight = (): tf.Tensor2D =>
  tf.tensor2d(
    Array.from({ length: 20 }, (_, i) => Math.cos(1.3 * i + 1)),
    [4, 5],
  );
const vector = (first: number): tf.Tensor1D => tf.tensor1d([0, 1, 2, 3].map((i) => first + i / 10));

/** What has a gradient of ours in the place of TensorFlow.js's. */
const ours: Record<string, F> = {
  relu: tf.relu,
  relu6: (x) => tf.relu6(tf.mul(x, 8)),
  leakyRelu: (x) => tf.leakyRelu(x, 0.2),
  sigmoid: tf.sigmoid,
  tanh: tf.tanh,
  softmax: (x) => tf.softmax(x),
  logSoftmax: (x) => tf.logSoftmax(x),
  'batchNorm by constants': (x) =>
    tf.batchNorm2d(x as tf.Tensor2D, vector(0.1), vector(0.5), vector(0.3), vector(0.7)),
  'batchNorm by the moments of the batch': (x) => {
    const { mean, variance } = tf.moments(x, 0) as { mean: tf.Tensor1D; variance: tf.Tensor1D };
    return tf.batchNorm2d(x as tf.Tensor2D, mean, variance, vector(0.3), vector(0.7));
  },
  gather: (x) => tf.gather(x, tf.tensor1d([0, 2, 2, 1], 'int32')),
  einsum: (x) => tf.einsum('ij,jk->ik', x, weight()),
};

/** Whose stock gradient reads the output, or has a comparison on the way. */
const stock: Record<string, F> = {
  exp: tf.exp,
  selu: tf.selu,
  softplus: tf.softplus,
  max: (x) => tf.max(x, 1),
  clipByValue: (x) => tf.clipByValue(x, -0.8, 0.8),
  where: (x) => tf.where(tf.greater(x, 0.2), tf.square(x), tf.sin(x)),
  'fused.matMul': (x) =>
    tf.fused.matMul({
      a: x as tf.Tensor2D,
      b: weight(),
      bias: tf.tensor1d([0.1, 0.2, 0.3, 0.4, 0.5]),
      activation: 'sigmoid',
    }),
  conv2d: (x) =>
    tf.conv2d(
      tf.reshape<tf.Rank.R4>(x, [1, 3, 4, 1]),
      tf.reshape<tf.Rank.R4>(tf.slice(weight(), [0, 0], [2, 2]), [2, 2, 1, 1]),
      1,
      'same',
    ),
};

describe.each(testedBackends())('second derivatives on %s', (backend) => {
  beforeAll(async () => {
    await useBackend(backend);
  });

  it.each(Object.entries({ ...ours, ...stock }))('of %s agree with differences', async (_, f) => {
    await expectSecondDerivative(f);
  });

  it('agree with differences where a second derivative goes through several of them', async () => {
    await expectSecondDerivative((x) => tf.softmax(tf.tanh(tf.matMul(tf.relu(x), weight()))));
  });
});
