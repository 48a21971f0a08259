// One rank of `npm run bench -- ranks`: `node worker.mjs NETWORK BATCH STEPS NUMBERS`, alone or among others. Rank 0 prints one
// line of JSON: the connection, the step's time, and what it exchanged. BATCH is that of all ranks together.
import '@tensorflow/tfjs-layers';
import { useBackend } from '@multigrad/backends';
import { MultiObjectiveTrainer } from '@multigrad/core';
import {
  gradientExchange,
  measureConnection,
  measured,
  shardBatches,
} from '@multigrad/distributed';
import { openRanks } from '@multigrad/distributed/node';
import { multilayerPerceptron, resnet18 } from '@multigrad/models';
import { mgda } from '@multigrad/strategy-mgda';
import * as tf from '@tensorflow/tfjs-core';
import { layers } from '@tensorflow/tfjs-layers';

const [name, ...sizes] = process.argv.slice(2);
const [batch, steps, numbers] = sizes.map(Number);
const communicator = await openRanks();
const { rank, size, kind } = communicator;
tf.enableProdMode();
await useBackend('wasm', { threads: 1 });
const now = () => performance.now();
const connection = size === 1 ? null : await measureConnection(communicator, now, { numbers });

const shape = name === 'resnet18' ? [32, 32, 3] : [256];
const trunk =
  name === 'resnet18'
    ? resnet18({
        name: 'trunk',
        ...{ channels: 3, inputHeight: 32, inputWidth: 32, stem: 'small', seed: 1 },
      })
    : multilayerPerceptron({ name: 'trunk', shape, hidden: [512, 512], features: 512, seed: 1 });
const objectives = ['first', 'second', 'third'];
const heads = objectives.map((objective) => {
  const head = layers.dense({ name: objective, units: 10 });
  head.build([null, trunk.outputs[0].shape.at(-1)]);
  return head;
});
const named = (weights, prefix = '') =>
  new Map(weights.map((one) => [`${prefix}${one.originalName}`, one.read()]));
const shared = named(trunk.trainableWeights);
const own = new Map(heads.flatMap((head) => [...named(head.weights, `${head.name}/`)]));
const counting = measured(communicator, now);
const optimizer = tf.train.momentum(0.01, 0.9);
const trainer = new MultiObjectiveTrainer({
  objectives: ({ x }, { step, share }) => {
    const features = trunk.apply(x, { training: true, step, share });
    return Object.fromEntries(
      heads.map((head, k) => [
        objectives[k],
        tf.mean(tf.square(tf.sub(head.apply(features), k - 1))),
      ]),
    );
  },
  variables: new Map([...shared, ...own]),
  statistics: named(trunk.nonTrainableWeights),
  strategy: mgda(),
  optimizer,
  ...(size === 1 ? {} : { exchange: gradientExchange(counting) }),
});
const warmup = 2;
const whole = function* () {
  for (let step = 0; step < warmup + steps; step += 1) {
    // Seed 0 would be no seed: another batch on every rank.
    yield { x: tf.randomNormal([batch, ...shape], 0, 1, 'float32', step + 1) };
  }
};
const seconds = [];
let began = 0;
let before = null;
await trainer.fit(shardBatches(whole, communicator), {
  epochs: 1,
  callbacks: [
    {
      onBatchBegin: (number) => {
        if (number === warmup) before = counting.traffic();
        began = now();
      },
      onBatchEnd: (number) => {
        if (number >= warmup) seconds.push((now() - began) / 1000);
      },
    },
  ],
});
const after = counting.traffic();
const numbersIn = (map) => [...map.values()].reduce((sum, one) => sum + one.size, 0);
const exchanges = Object.fromEntries(
  Object.keys(after).map((exchange) => [
    exchange,
    Object.fromEntries(
      ['calls', 'bytes', 'time'].map((what) => [
        what,
        (after[exchange][what] - before[exchange][what]) / steps,
      ]),
    ),
  ]),
);
if (rank === 0) {
  const middle = seconds.toSorted((a, b) => a - b)[Math.floor(steps / 2)];
  console.log(
    JSON.stringify({
      kind,
      ranks: size,
      connection,
      shared: numbersIn(shared),
      heads: numbersIn(own),
      objectives: objectives.length,
      seconds: middle,
      exchanges,
    }),
  );
}
await communicator.close();
