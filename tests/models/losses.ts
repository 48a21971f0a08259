import {
  absoluteError,
  cosineDistance,
  meanSquaredError,
  smoothL1,
  softmaxCrossEntropy,
} from '@multigrad/models';
import { normalTensor } from '@multigrad/test-support';
import * as tf from '@tensorflow/tfjs-core';
import { labels, type Method, samples, type Weights, weightsOf } from './method.ts';

type Loss = (outputs: tf.Tensor2D) => tf.Scalar;

const targets = (): tf.Tensor2D =>
  tf.tidy(() => {
    const missing = tf.tensor2d([1, 2], [1, 2]);
    const rest = tf.mul(normalTensor([5, 2], 3), 2);
    return tf.concat<tf.Tensor2D>([tf.div(tf.sub(missing, missing), 0), rest as tf.Tensor2D]);
  });

const losses: Readonly<Record<string, { readonly size: number; readonly loss: Loss }>> = {
  softmaxCrossEntropy: { size: 3, loss: (outputs) => softmaxCrossEntropy(outputs, labels()) },
  meanSquaredError: { size: 2, loss: (outputs) => meanSquaredError(outputs, targets()) },
  absoluteError: { size: 2, loss: (outputs) => absoluteError(outputs, targets()) },
  cosineDistance: { size: 2, loss: (outputs) => cosineDistance(outputs, targets()) },
  smoothL1: { size: 2, loss: (outputs) => smoothL1(outputs, targets(), 0.7) },
};

/** Trains a linear model by a loss. */
function train(size: number, loss: Loss, steps: number): Promise<Weights> {
  const kernel = tf.tidy(() => tf.variable(normalTensor([4, size], 8) as tf.Tensor2D));
  const x = samples([4], 1) as tf.Tensor2D;
  const optimizer = tf.train.sgd(0.2);
  for (let step = 0; step < steps; step += 1) {
    optimizer.minimize(() => loss(tf.matMul(x, kernel as tf.Tensor2D)), false, [kernel]);
  }
  const weights = weightsOf([['kernel', kernel]]);
  tf.dispose([kernel, x]);
  optimizer.dispose();
  return Promise.resolve(weights);
}

export const lossMethods: readonly Method[] = Object.entries(losses).map(
  ([name, { size, loss }]) => ({
    kind: 'loss',
    name,
    train: () => train(size, loss, 3),
    without: () => train(size, loss, 0),
  }),
);
