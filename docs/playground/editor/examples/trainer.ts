// Two tasks share three hidden units. The second one's loss is 25 times as large, so the sum serves it first.
// Change the strategy, press Run, and compare with the dashed curves of the run before.
import '@tensorflow/tfjs-layers';
import * as tf from '@tensorflow/tfjs-core';
import { useBackend } from '@multigrad/backends';
import { MultiObjectiveTrainer } from '@multigrad/core';
import { mgda } from '@multigrad/strategy-mgda';
import { mmpareto } from '@multigrad/strategy-mmpareto';
import { pcgrad } from '@multigrad/strategy-pcgrad';
import { sum } from '@multigrad/strategy-sum';

const strategies = { sum: sum(), mmpareto: mmpareto(), pcgrad: pcgrad({ seed: 1 }), mgda: mgda() };
const strategy = strategies.mmpareto; // the word to change: sum, pcgrad, mgda

await useBackend('wasm');

const shared = tf.variable(tf.randomNormal([4, 3], 0, 0.5, 'float32', 1));
const heads = {
  price: tf.variable(tf.randomNormal([3, 1], 0, 0.5, 'float32', 2)),
  size: tf.variable(tf.randomNormal([3, 1], 0, 0.5, 'float32', 3)),
};
type Batch = { x: tf.Tensor2D; price: tf.Tensor2D; size: tf.Tensor2D };

const trainer = new MultiObjectiveTrainer({
  objectives: ({ x, price, size }: Batch) => {
    const hidden = tf.tanh(tf.matMul(x, shared));
    return {
      price: tf.losses.meanSquaredError(price, tf.matMul(hidden, heads.price)),
      size: tf.losses.meanSquaredError(size, tf.matMul(hidden, heads.size)),
    };
  },
  variables: [shared, heads.price, heads.size],
  strategy,
  optimizer: tf.train.momentum(0.003, 0.9),
});

const x = tf.randomNormal<tf.Rank.R2>([256, 4], 0, 1, 'float32', 4);
const half = (at: number): tf.Tensor2D => tf.sum(tf.slice(x, [0, at], [256, 2]), 1, true);
const data: Batch = {
  x,
  price: tf.sum(x, 1, true),
  size: tf.mul(5, tf.sub(half(0), half(2))),
};
const log = (loss: number): number => Math.log10(loss);
await trainer.fit(data, {
  epochs: 30,
  batchSize: 32,
  shuffle: 1,
  callbacks: [
    {
      onEpochEnd(epoch, { price_loss, size_loss }) {
        plot({ 'log10 price': log(price_loss!), 'log10 size': log(size_loss!) });
        if (epoch % 10 === 9) console.log(strategy.name, { epoch, price_loss, size_loss });
      },
    },
  ],
});
