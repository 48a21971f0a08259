// A small network with dropout, a moving statistic and shuffled data, under any optimizer and strategy: what the soak
// tests train, kill and resume.
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers';
import * as tf from '@tensorflow/tfjs-core';
import { useBackend } from '../../packages/backends/dist/index.js';
import { MultiObjectiveTrainer, tensorBatches } from '../../packages/core/dist/index.js';
import { dropout } from '../../packages/models/dist/index.js';
import { gradvac } from '../../packages/strategy-gradvac/dist/index.js';
import { moco } from '../../packages/strategy-moco/dist/index.js';
import { pcgrad } from '../../packages/strategy-pcgrad/dist/index.js';

const optimizers = {
  sgd: () => tf.train.sgd(0.05),
  momentum: () => tf.train.momentum(0.05, 0.9),
  adam: () => tf.train.adam(0.01),
};
const strategies = {
  pcgrad: () => pcgrad({ seed: 1 }),
  gradvac: () => gradvac({ seed: 1 }),
  moco: () => moco(),
};

const samples = 64;

/** Makes a backend ready. */
export async function openBackend(name) {
  tf.enableProdMode();
  await useBackend(name);
}

/** Standard normal numbers of a seed. */
function normal(shape, seed) {
  return tf.randomNormal(shape, 0, 1, 'float32', seed);
}

/** A trainer with its data; `dispose` frees all of it. */
export function smallRun({ optimizer: kind, strategy, inputs = 8, hidden = 16 }) {
  const variables = tf.tidy(() => ({
    'first/kernel': tf.variable(tf.mul(normal([inputs, hidden], 1), 0.4)),
    'first/bias': tf.variable(tf.zeros([hidden])),
    'up/kernel': tf.variable(tf.mul(normal([hidden, 3], 2), 0.4)),
    'down/kernel': tf.variable(tf.mul(normal([hidden, 3], 3), 0.4)),
  }));
  const mean = tf.tidy(() => tf.variable(tf.zeros([hidden]), false));
  const data = {
    x: normal([samples, inputs], 4),
    up: normal([samples, 3], 5),
    down: normal([samples, 3], 6),
  };
  const drop = dropout({ name: 'dropout', rate: 0.3, seed: 1 });
  const optimizer = optimizers[kind]();
  const trainer = new MultiObjectiveTrainer({
    objectives: ({ x, up, down }, { training, step }) => {
      const wide = tf.add(tf.matMul(x, variables['first/kernel']), variables['first/bias']);
      const features = tf.relu(tf.sub(wide, mean));
      if (training) mean.assign(tf.add(tf.mul(mean, 0.9), tf.mul(tf.mean(wide, 0), 0.1)));
      const kept = drop.apply(features, { training, step });
      return {
        up: tf.losses.meanSquaredError(up, tf.matMul(kept, variables['up/kernel'])),
        down: tf.losses.meanSquaredError(down, tf.matMul(kept, variables['down/kernel'])),
        // Its gradient is opposed to that of `up`.
        contrary: tf.mean(tf.square(tf.add(tf.matMul(kept, variables['up/kernel']), up))),
      };
    },
    variables: new Map(Object.entries(variables)),
    statistics: new Map([['mean', mean]]),
    strategy: strategies[strategy](),
    optimizer,
  });
  return {
    trainer,
    /** Eight steps an epoch. */
    data: tensorBatches(data, { batchSize: 8, shuffle: 7 }),
    weights: () => [...Object.entries(variables), ['mean', mean]],
    dispose: () => {
      trainer.dispose();
      optimizer.dispose();
      tf.SGDOptimizer.prototype.dispose.call(
        'c' in optimizer ? optimizer : { c: { dispose: () => undefined } },
      );
      tf.dispose([variables, mean, data]);
    },
  };
}
