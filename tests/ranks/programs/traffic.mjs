// What a step of K = 3 objectives exchanges, and the most memory that its tensors take; one line of JSON from rank 0.
// `node traffic.mjs NETWORK STATISTICS BATCH STEPS WIDTH`, with `cg-mnist` or `resnet18`, `plain` or `synchronised`, the
// samples of each rank in a batch, and the channels of ResNet-18's first stage.
import '@tensorflow/tfjs-layers';
import process from 'node:process';
import { useBackend } from '@multigrad/backends';
import { MultiObjectiveTrainer } from '@multigrad/core';
import { gradientExchange, measured, shardBatches } from '@multigrad/distributed';
import { openRanks } from '@multigrad/distributed/node';
import { digitEncoder, resnet18 } from '@multigrad/models';
import { mgda } from '@multigrad/strategy-mgda';
import * as tf from '@tensorflow/tfjs-core';
import { layers } from '@tensorflow/tfjs-layers';

const [name, statistics, ...sizes] = process.argv.slice(2);
const [own = 4, steps = 4, width = 64] = sizes.map(Number);
const communicator = await openRanks();
const { rank, size } = communicator;
tf.enableProdMode();
await useBackend('wasm');

const side = name === 'resnet18' ? 32 : 28;
const channels = name === 'resnet18' ? 3 : 1;
const image = { channels, inputHeight: side, inputWidth: side };
const encoder =
  name === 'resnet18'
    ? resnet18({ name: 'encoder', ...image, stem: 'small', width, seed: 1 })
    : digitEncoder({ name: 'encoder', ...image, seed: 1 });
const features = encoder.outputs[0].shape.at(-1);
const names = ['first', 'second', 'third'];
const heads = names.map((head) => {
  const layer = layers.dense({ name: head, units: 10 });
  layer.build([null, features]);
  return layer;
});
const named = (weights, prefix = '') =>
  new Map(weights.map((one) => [`${prefix}${one.originalName}`, one.read()]));
const shared = named(encoder.trainableWeights);
const inHeads = new Map(
  heads.flatMap(({ name: head, trainableWeights }) => [...named(trainableWeights, `${head}/`)]),
);
const moving = named(encoder.nonTrainableWeights);

// The engine counts bytes in one number: its largest value is looked at.
const { state } = tf.engine();
let bytes = state.numBytes;
let most = bytes;
Object.defineProperty(state, 'numBytes', {
  get: () => bytes,
  set: (value) => {
    bytes = value;
    most = Math.max(most, value);
  },
});

const counting = measured(communicator, () => performance.now());
const optimizer = tf.train.momentum(0.01, 0.9);
const trainer = new MultiObjectiveTrainer({
  objectives: ({ x }, { step, share }) => {
    const found = encoder.apply(x, { training: true, step, share });
    return Object.fromEntries(
      heads.map((head, k) => [names[k], tf.mean(tf.square(tf.sub(head.apply(found), k - 1)))]),
    );
  },
  variables: new Map([...shared, ...inHeads]),
  statistics: moving,
  strategy: mgda(),
  optimizer,
  ...(size === 1
    ? {}
    : {
        exchange: gradientExchange(counting),
        synchronise: statistics === 'synchronised',
      }),
});
const whole = function* () {
  for (let step = 0; step < steps; step += 1) {
    yield { x: tf.randomNormal([own * size, side, side, channels], 0, 1, 'float32', step + 1) };
  }
};
const first = 2;
let before = null;
let began = 0;
let between = 0;
let seconds = 0;
let after = null;
await trainer.fit(shardBatches(whole, communicator), {
  epochs: 1,
  callbacks: [
    {
      onBatchEnd: (number) => {
        if (number === steps - 1) {
          after = counting.traffic();
          seconds = (performance.now() - began) / 1000;
        }
        if (number !== first - 1) return;
        before = counting.traffic();
        between = bytes;
        most = bytes;
        began = performance.now();
      },
    },
  ],
});
const of = steps - first;
const perStep = Object.fromEntries(
  Object.keys(after).map((kind) => [
    kind,
    {
      calls: (after[kind].calls - before[kind].calls) / of,
      bytes: (after[kind].bytes - before[kind].bytes) / of,
      milliseconds: (after[kind].time - before[kind].time) / of,
    },
  ]),
);
const total = (map) => [...map.values()].reduce((sum, one) => sum + one.size, 0);
if (rank === 0) {
  console.log(
    JSON.stringify({
      network: name,
      statistics,
      ranks: size,
      variables: [
        ...[...shared.values()].map((one) => ({ size: one.size, objectives: names })),
        ...heads.flatMap(({ weights }, k) =>
          weights.map((one) => ({ size: one.read().size, objectives: [names[k]] })),
        ),
      ],
      moving: total(moving),
      norms: [...moving.keys()].filter((one) => one.endsWith('moving_mean')).length,
      tensors: { between, most },
      secondsPerStep: seconds / of,
      perStep,
    }),
  );
}
await communicator.close();
