// Times of a step by as many ranks as there are, at one global batch: median, share in exchanges, payload.
// First what the machine gives: latency and bandwidth of an all-reduce.
import '@tensorflow/tfjs-layers';
import { useBackend } from '@multigrad/backends';
import { MultiObjectiveTrainer } from '@multigrad/core';
import { gradientExchange, measured, shardBatches } from '@multigrad/distributed';
import { openRanks } from '@multigrad/distributed/node';
import { mgda } from '@multigrad/strategy-mgda';
import * as tf from '@tensorflow/tfjs-core';

const [width = 512, batch = 96, steps = 20] = process.argv.slice(2).map(Number);
const communicator = await openRanks();
const { rank, size } = communicator;
tf.enableProdMode();
await useBackend('wasm');

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

async function timeOf(numbers, times) {
  const values = new Float32Array(numbers);
  const seconds = [];
  for (let i = 0; i < times; i += 1) {
    await communicator.barrier();
    const began = performance.now();
    await communicator.allReduce(values);
    seconds.push((performance.now() - began) / 1000);
  }
  return median(seconds);
}

const small = await timeOf(16, 200);
const large = await timeOf(2 ** 20, 20);

const variable = (shape, name) =>
  tf.tidy(() =>
    tf.variable(tf.randomNormal(shape, 0, 1 / Math.sqrt(shape[0]), 'float32', 1), true, name),
  );
const layers = [
  variable([256, width], 'a'),
  variable([width, width], 'b'),
  variable([width, width], 'c'),
];
const heads = ['x', 'y', 'z'].map((name) => variable([width, 8], name));
const counting = measured(communicator, () => performance.now());
const optimizer = tf.train.momentum(0.01, 0.9);
const trainer = new MultiObjectiveTrainer({
  objectives: ({ input }) => {
    const features = layers.reduce((value, layer) => tf.relu(tf.matMul(value, layer)), input);
    return Object.fromEntries(
      heads
        .map((head, k) => ['x', 'y', 'z'].slice(k, k + 1).concat(0))
        .map(([name], k) => [
          name,
          tf.mean(tf.square(tf.sub(tf.matMul(features, heads[k]), k - 1))),
        ]),
    );
  },
  variables: [...layers, ...heads],
  strategy: mgda(),
  optimizer,
  exchange: gradientExchange(counting),
});
const whole = function* () {
  for (let step = 0; step < steps + 3; step += 1)
    // Seed 0 would be no seed: another batch on every rank.
    yield { input: tf.randomNormal([batch, 256], 0, 1, 'float32', step + 1) };
};
const times = [];
let began = 0;
let before = counting.traffic();
const total = ({ reduceScatter, allGather, control }, what) =>
  reduceScatter[what] + allGather[what] + control[what];
await trainer.fit(shardBatches(whole, communicator), {
  epochs: 1,
  callbacks: [
    {
      onBatchBegin: () => {
        began = performance.now();
      },
      onBatchEnd: (number) => {
        times.push(performance.now() - began);
        if (number === 2) {
          times.length = 0;
          before = counting.traffic();
        }
      },
    },
  ],
});
const after = counting.traffic();
const payload =
  (after.reduceScatter.bytes +
    after.allGather.bytes -
    before.reduceScatter.bytes -
    before.allGather.bytes) /
  steps;
const inExchanges = total(after, 'time') - total(before, 'time');
const spent = times.reduce((sum, one) => sum + one, 0);
if (rank === 0) {
  const parameters = layers.reduce((sum, one) => sum + one.size, 0);
  console.log(
    JSON.stringify({
      ranks: size,
      sharedParameters: parameters,
      stepMilliseconds: Number(median(times).toFixed(1)),
      shareInExchanges: Number((inExchanges / spent).toFixed(3)),
      payloadBytes: payload,
      controlBytes: (after.control.bytes - before.control.bytes) / steps,
      allReduceMicroseconds: Number((1e6 * small).toFixed(1)),
      allReduceGigabytesPerSecond: Number(((4 * 2 ** 20) / large / 1e9).toFixed(2)),
    }),
  );
}
await communicator.close();
