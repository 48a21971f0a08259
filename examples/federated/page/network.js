import '@tensorflow/tfjs-layers'; // registers the gradients of TensorFlow.js's operations
import { MultiObjectiveTrainer } from '@multigrad/core';
import { mmpareto } from '@multigrad/strategy-mmpareto';
import * as tf from '@tensorflow/tfjs-core';

/** One shared hidden layer, and a head for each of the two questions; the same first weights everywhere. */
export function makeNetwork(units = 24) {
  const normal = (shape, seed) =>
    tf.randomNormal(shape, 0, 1 / Math.sqrt(shape[0]), 'float32', seed);
  const variables = tf.tidy(() =>
    [
      ...[normal([2, units], 1), tf.zeros([units])],
      ...[normal([units, 1], 2), tf.zeros([1])],
      ...[normal([units, 1], 3), tf.zeros([1])],
    ].map((values) => tf.variable(values)),
  );
  const [kernel, bias, inside, insideBias, distance, distanceBias] = variables;
  const losses = (batch) => {
    const features = tf.relu(tf.add(tf.matMul(batch.x, kernel), bias));
    const answer = (head, shift) => tf.add(tf.matMul(features, head), shift);
    return {
      inside: tf.losses.sigmoidCrossEntropy(batch.inside, answer(inside, insideBias)),
      distance: tf.losses.meanSquaredError(batch.distance, answer(distance, distanceBias)),
    };
  };
  return {
    losses,
    /** Trains on these data for some epochs: MMPareto, plain SGD. */
    async train(data, { epochs, seed }) {
      const optimizer = tf.train.sgd(0.05);
      const trainer = new MultiObjectiveTrainer({
        objectives: losses,
        variables,
        strategy: mmpareto({ gamma: 1.5 }),
        optimizer,
      });
      await trainer.fit(data, { epochs, batchSize: 32, shuffle: seed });
      trainer.dispose();
      optimizer.dispose();
    },
    /** The losses on data, as numbers. */
    measure: (data) =>
      tf.tidy(() => {
        const found = losses(data);
        return { inside: found.inside.dataSync()[0], distance: found.distance.dataSync()[0] };
      }),
    /** All weights, one after the other. */
    weights: () => Float32Array.from(variables.flatMap((one) => [...one.dataSync()])),
    /** Replaces all weights. */
    setWeights(values) {
      let offset = 0;
      for (const one of variables) {
        const own = values.slice(offset, (offset += one.size));
        tf.tidy(() => one.assign(tf.tensor(own, one.shape)));
      }
    },
    dispose: () => tf.dispose(variables),
  };
}
