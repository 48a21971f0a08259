import * as tf from '@tensorflow/tfjs-core';

/** One shared hidden layer, and a head for each of the two questions. */
export function makeNetwork(units) {
  const normal = (shape, seed) =>
    tf.variable(tf.randomNormal(shape, 0, 1 / Math.sqrt(shape[0]), 'float32', seed));
  const hidden = { kernel: normal([2, units], 1), bias: tf.variable(tf.zeros([units])) };
  const heads = { inside: normal([units, 1], 2), distance: normal([units, 1], 3) };
  return {
    variables: [hidden.kernel, hidden.bias, heads.inside, heads.distance],
    /** The two losses, from one forward pass. */
    losses: ({ x, inside, distance }) => {
      const features = tf.relu(tf.add(tf.matMul(x, hidden.kernel), hidden.bias));
      return {
        inside: tf.losses.sigmoidCrossEntropy(inside, tf.matMul(features, heads.inside)),
        distance: tf.losses.meanSquaredError(distance, tf.matMul(features, heads.distance)),
      };
    },
  };
}
