import { multilayerPerceptron, multiTaskNetwork } from '@multigrad/models';
import { images, labels } from './random-batch.mjs';

/** A shared 784-512-256 perceptron with a head for each of two tasks. */
export const perceptron = {
  batchSize: 64,
  make(batchSize) {
    const network = multiTaskNetwork({
      trunk: multilayerPerceptron({
        name: 'trunk',
        shape: [784],
        hidden: [512],
        features: 256,
        seed: 1,
      }),
      tasks: {
        left: { kind: 'classification', classes: 10 },
        right: { kind: 'classification', classes: 10 },
      },
      seed: 1,
    });
    const inputs = images([batchSize, 784], 1);
    return { network, inputs, targets: { left: labels(batchSize), right: labels(batchSize) } };
  },
};
