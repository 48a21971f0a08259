import * as tf from '@tensorflow/tfjs-core';

/** Weights, losses, and each loss's gradients, by the variables' names: for the other side to compute the same. */
export function exchange(network, inputs, targets) {
  return tf.tidy(() => {
    const variables = network.trainableVariables;
    const plain = (tensor) => ({ shape: tensor.shape, values: [...tensor.dataSync()] });
    const losses = network.losses(inputs, targets, { training: true, step: 0 });
    const gradients = {};
    for (const name of Object.keys(losses)) {
      const { grads } = tf.variableGrads(
        () => tf.sum(network.losses(inputs, targets, { training: true, step: 0 })[name]),
        variables,
      );
      gradients[name] = Object.fromEntries(
        Object.entries(grads).map(([variable, gradient]) => [variable, plain(gradient)]),
      );
    }
    return {
      weights: Object.fromEntries(variables.map((one) => [one.name, plain(one)])),
      losses: Object.fromEntries(
        Object.entries(losses).map(([name, loss]) => [name, loss.dataSync()[0]]),
      ),
      gradients,
    };
  });
}
