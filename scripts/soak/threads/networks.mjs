// The networks that the soak tests of threads train: the trunks whose kernels threads share, on made data.
import * as tf from '@tensorflow/tfjs-core';
import { MultiObjectiveTrainer, tensorBatches } from '../../../packages/core/dist/index.js';
import {
  digitEncoder,
  lenet,
  multimodalNetwork,
  multiTaskNetwork,
} from '../../../packages/models/dist/index.js';
import { pcgrad } from '../../../packages/strategy-pcgrad/dist/index.js';

const batchSize = 64;

function images(side, channels, seed, count) {
  return tf.randomUniform([count, side, side, channels], 0, 1, 'float32', seed);
}

function labels(seed, count) {
  return tf.tidy(() =>
    tf.cast(tf.floor(tf.randomUniform([count], 0, 9.99, 'float32', seed)), 'int32'),
  );
}

const networks = {
  // Two digits that overlap, as in MultiMNIST.
  lenet: (count) => {
    const kind = { kind: 'classification', classes: 10 };
    const network = multiTaskNetwork({
      trunk: lenet({ name: 'trunk', channels: 1 }),
      tasks: { left: kind, right: kind },
    });
    return {
      network,
      data: { image: images(36, 1, 1, count), left: labels(2, count), right: labels(3, count) },
      objectives: ({ image, left, right }, mode) =>
        network.objectives(image, { left, right }, mode),
    };
  },
  'cg-mnist': (count) => {
    const network = multimodalNetwork({
      encoders: {
        gray: digitEncoder({ name: 'gray', channels: 1, width: 16 }),
        color: digitEncoder({ name: 'color', channels: 3, width: 16 }),
      },
      classes: 10,
    });
    return {
      network,
      data: {
        gray: images(28, 1, 1, count),
        color: images(28, 3, 2, count),
        label: labels(3, count),
      },
      objectives: (batch, mode) => network.objectives(batch, batch.label, mode),
    };
  },
};

/** Names of the networks. */
export const networkNames = Object.keys(networks);

/** Trains a network from the same weights on the same data. @returns the bytes of its variables */
export async function trainSteps(name, steps) {
  const { network, data, objectives } = networks[name](steps * batchSize);
  const optimizer = tf.train.momentum(0.01, 0.9);
  const trainer = new MultiObjectiveTrainer({
    objectives,
    variables: network.trainableVariables,
    strategy: pcgrad({ seed: 1 }),
    optimizer,
  });
  await trainer.fit(tensorBatches(data, { batchSize }), { epochs: 1 });
  return Buffer.concat(
    network.trainableVariables.map((variable) => Buffer.from(variable.dataSync().slice().buffer)),
  );
}
