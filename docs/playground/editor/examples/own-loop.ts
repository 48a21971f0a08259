// Two losses pull the same weights to different places. In a loop of your own, the weights of the strategy and the cosine
// between the gradients are at hand at every step.
import '@tensorflow/tfjs-layers';
import * as tf from '@tensorflow/tfjs-core';
import { useBackend } from '@multigrad/backends';
import { integrateGradients, type IntegrationState } from '@multigrad/core';
import { upgrad } from '@multigrad/strategy-upgrad';

const strategy = upgrad(); // the line to change

await useBackend('wasm');

const weights = tf.variable(tf.randomNormal<tf.Rank.R2>([4, 1], 0, 1, 'float32', 1));
const x = tf.randomNormal<tf.Rank.R2>([32, 4], 0, 1, 'float32', 2);
const forward = () => {
  const prediction = tf.matMul(x, weights);
  return {
    near: tf.losses.meanSquaredError(tf.ones([32, 1]), prediction),
    far: tf.losses.meanSquaredError(tf.fill([32, 1], -1), prediction),
  };
};

const optimizer = tf.train.sgd(0.05);
let state: IntegrationState | undefined;
for (let step = 0; step < 60; step += 1) {
  const result = await integrateGradients(strategy, forward, [weights], { state });
  state = result.state;
  optimizer.applyGradients(result.gradients);
  tf.dispose(result.gradients);
  const [group] = result.groups;
  plot({ ...result.losses, cosine: group!.cosines![0]![1]! });
  if (step % 10 === 0) console.log('step', step, result.losses, 'weights', group!.weights);
}
