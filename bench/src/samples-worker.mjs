// Per-sample steps of one case, in a process of its own: `node samples-worker.mjs BACKEND WORKLOAD BATCH CASE`.
import '@tensorflow/tfjs-layers';
import { useBackend } from '@multigrad/backends';
import { integrateGradients, perSample } from '@multigrad/core';
import * as tf from '@tensorflow/tfjs-core';
import { answerLines } from './processes/line-process.mjs';
import { images, labels } from './workloads/random-batch.mjs';

const [backend, workload, size, name] = process.argv.slice(2);
const batch = Number(size);
const report = await useBackend(backend);

/** The networks of peers/samples.py. */
const networks = {
  mlp: {
    sample: [784],
    layers: [[784, 512], [512], [512, 256], [256], [256, 10], [10]],
    logits: (x, [w1, b1, w2, b2, w3, b3]) => {
      const first = tf.relu(tf.add(tf.matMul(x, w1), b1));
      const second = tf.relu(tf.add(tf.matMul(first, w2), b2));
      return tf.add(tf.matMul(second, w3), b3);
    },
  },
  lenet: {
    sample: [36, 36, 1],
    layers: [[5, 5, 1, 10], [10], [5, 5, 10, 20], [20], [720, 50], [50], [50, 10], [10]],
    logits: (x, [f1, c1, f2, c2, w1, b1, w2, b2]) => {
      const first = tf.maxPool(tf.relu(tf.add(tf.conv2d(x, f1, 1, 'valid'), c1)), 2, 2, 'valid');
      const second = tf.maxPool(
        tf.relu(tf.add(tf.conv2d(first, f2, 1, 'valid'), c2)),
        2,
        2,
        'valid',
      );
      const hidden = tf.relu(tf.add(tf.matMul(tf.reshape(second, [batch, 720]), w1), b1));
      return tf.add(tf.matMul(hidden, w2), b2);
    },
  },
};

const { sample, layers, logits } = networks[workload];
const variables = layers.map((shape, index) =>
  tf.tidy(() => tf.variable(tf.mul(tf.randomNormal(shape, 0, 1, 'float32', index + 1), 0.05))),
);
const inputs = images([batch, ...sample], 1);
const oneHot = tf.tidy(() => tf.cast(tf.oneHot(labels(batch), 10), 'float32'));

function losses() {
  return tf.losses.softmaxCrossEntropy(
    oneHot,
    logits(inputs, variables),
    undefined,
    0,
    tf.Reduction.NONE,
  );
}

/** The weights of the mean, whatever was seen: what is timed is the Gramian and the update, not a solver. */
const meanWeights = (gradients) => ({
  specification: 1,
  name: 'mean-weights',
  needs: { gradients },
  init: () => null,
  integrate: ({ objectives }, state) => ({
    weights: new Float64Array(objectives.length).fill(1 / objectives.length),
    state,
  }),
});

const cases = {
  mean: [meanWeights('none'), () => ({ mean: tf.mean(losses()) })],
  'per sample': [meanWeights('gramian'), () => ({ error: perSample(losses()) })],
  explicit: [
    meanWeights('gramian'),
    () => Object.fromEntries(tf.unstack(losses()).map((loss, index) => [`sample ${index}`, loss])),
  ],
};
const [strategy, forward] = cases[name];

async function step() {
  const { gradients } = await integrateGradients(strategy, forward, variables, {
    groupBy: 'shared',
  });
  // Native kernels may still be running where nothing was read.
  await Object.values(gradients)[0].data();
  tf.dispose(gradients);
}

const base = process.resourceUsage().maxRSS;
await answerLines({ backend: report.name }, async (request) => {
  if (request.memory) return { megabytes: (process.resourceUsage().maxRSS - base) / 1024 };
  if (request.peak) {
    const before = tf.memory().numBytes;
    const { peakBytes } = await tf.profile(() => step().then(() => []));
    return { megabytes: (peakBytes - before) / 2 ** 20 };
  }
  const start = performance.now();
  await step();
  return { milliseconds: performance.now() - start };
});
