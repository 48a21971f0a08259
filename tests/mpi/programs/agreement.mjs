// 50 steps of each strategy at one global batch, by as many ranks as there are: final weights, decisions, traffic.
// With the argument `reversed` by one process whose samples come in the opposite order: sums that are merely reordered.
import '@tensorflow/tfjs-layers';
import { useBackend } from '@multigrad/backends';
import { MultiObjectiveTrainer } from '@multigrad/core';
import { alone, gradientExchange, measured, shardBatches } from '@multigrad/distributed';
import { openRanks } from '@multigrad/distributed/node';
import { batchNormalization, dropout } from '@multigrad/models';
import { graddrop } from '@multigrad/strategy-graddrop';
import { mgda } from '@multigrad/strategy-mgda';
import { mmpareto } from '@multigrad/strategy-mmpareto';
import { pcgrad } from '@multigrad/strategy-pcgrad';
import { sum } from '@multigrad/strategy-sum';
import { upgrad } from '@multigrad/strategy-upgrad';
import { randomState, resumeRandom } from '@multigrad/core/strategy';
import * as tf from '@tensorflow/tfjs-core';
import { layers } from '@tensorflow/tfjs-layers';

const mode = process.argv[2] ?? 'ranks';
const steps = Number(process.argv[3] ?? 50);
const batch = 24;
const inputs = 10;
const ranks = measured(mode === 'ranks' ? await openRanks() : alone(), () => performance.now());
tf.enableProdMode();
await useBackend('wasm');

const strategies = {
  sum: () => sum(),
  mmpareto: () => mmpareto(),
  'mmpareto:rescale=tensor': () => mmpareto({ rescale: 'tensor' }),
  pcgrad: () => pcgrad({ seed: 1 }),
  mgda: () => mgda(),
  upgrad: () => upgrad(),
  graddrop: () => graddrop({ seed: 1 }),
};

function numbers(what, size) {
  const random = resumeRandom(randomState(7, what));
  return Float32Array.from({ length: size }, () => 2 * random.uniform() - 1);
}

/** Smooth layers, batch norm over all samples and dropout, then three heads. */
function network(name) {
  const dense = (part, width, activation = 'linear') =>
    layers.dense({ name: `${name}-${part}`, units: width, activation, kernelInitializer: 'zeros' });
  const norm = batchNormalization({ name: `${name}-norm` });
  // Its name is in its masks: the same in every network.
  const drop = dropout({ name: 'drop', rate: 0.2, seed: 3 });
  const heads = ['a', 'b', 'c'].map((head) => dense(head, 1));
  const [first, second] = [dense('first', 16, 'tanh'), dense('second', 12, 'tanh')];
  // Masks go by the place of a sample: those of reversed samples are turned back.
  const turned = (value) => (mode === 'reversed' ? tf.reverse(value, 0) : value);
  const outputs = (x, mode) => {
    const features = second.apply(norm.apply(first.apply(x), mode));
    const dropped = turned(drop.apply(turned(features), mode));
    return heads.map((head) => head.apply(dropped));
  };
  tf.tidy(() => outputs(tf.zeros([2, inputs]), { training: false }));
  const weights = [first, norm, second, ...heads].flatMap((layer) => layer.weights);
  weights.forEach((weight, index) => {
    if (!weight.originalName.includes('kernel')) return;
    const size = weight.shape.reduce((product, side) => product * side, 1);
    const scale = 1 / Math.sqrt(weight.shape[0]);
    const values = numbers(`weight ${index}`, size).map((value) => value * scale);
    weight.write(tf.tensor(values, weight.shape));
  });
  const named = (trainable) =>
    new Map(
      weights
        .filter((one) => one.trainable === trainable)
        .map((one) => [one.originalName, one.read()]),
    );
  return { outputs, variables: named(true), statistics: named(false) };
}

function* batches() {
  for (let step = 0; step < steps; step += 1) {
    const whole = tf.tidy(() => {
      const x = tf.tensor2d(numbers(`x ${step}`, batch * inputs), [batch, inputs]);
      return mode === 'reversed' ? tf.reverse(x, 0) : x;
    });
    yield { x: whole };
  }
}

for (const [name, strategy] of Object.entries(strategies)) {
  const { outputs, variables, statistics } = network(name.replace(/\W/g, '-'));
  const optimizer = tf.train.momentum(0.02, 0.9);
  const decisions = [];
  const before = ranks.traffic();
  const trainer = new MultiObjectiveTrainer({
    objectives: ({ x }, { step, share }) => {
      const mode = { training: true, step, share };
      const target = (k) => tf.sin(tf.add(tf.mul(tf.slice(x, [0, k], [-1, 1]), 3), k));
      return Object.fromEntries(
        outputs(x, mode).map((output, k) => [
          ['a', 'b', 'c'][k],
          tf.mean(tf.square(tf.sub(output, k === 1 ? tf.neg(target(0)) : target(k)))),
        ]),
      );
    },
    variables,
    statistics,
    strategy: strategy(),
    optimizer,
    observe: { every: 1 },
    ...(mode === 'ranks' ? { exchange: gradientExchange(ranks), synchronise: true } : {}),
  });
  await trainer.fit(mode === 'ranks' ? shardBatches(batches, ranks) : batches, {
    epochs: 1,
    callbacks: [
      {
        onBatchEnd: (_, { groups }) =>
          decisions.push(groups.map(({ cosines, weights }) => ({ cosines, weights }))),
      },
    ],
  });
  const after = ranks.traffic();
  const all = [...variables.values(), ...statistics.values()].flatMap((one) => [...one.dataSync()]);
  const difference = (kind) => after[kind].bytes - before[kind].bytes;
  if (ranks.rank === 0) {
    console.log(
      JSON.stringify({
        strategy: name,
        ranks: ranks.size,
        steps,
        weights: all,
        parameters: [...variables].map(([own, { size }]) => [own, size]),
        bytes: { reduceScatter: difference('reduceScatter'), allGather: difference('allGather') },
        decisions,
      }),
    );
  }
}
await ranks.close();
