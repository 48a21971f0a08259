// A program of a user's, in which rank 1 differs from the other ranks by what the argument names. It prints how many steps a
// rank has made, and its weights. `node one-differs.mjs DIFFERENCE`
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers';
import process from 'node:process';
import { MultiObjectiveTrainer } from '@multigrad/core';
import { gradientExchange, shardBatches } from '@multigrad/distributed';
import { openRanks } from '@multigrad/distributed/node';
import { mgda } from '@multigrad/strategy-mgda';
import * as tf from '@tensorflow/tfjs-core';

const communicator = await openRanks();
const differs = (name) => communicator.rank === 1 && name === process.argv[2];
const kernel = tf.variable(tf.tensor2d([[1], [-2]]));
let steps = 0;
const say = () =>
  console.log(
    JSON.stringify({ rank: communicator.rank, steps, kernel: Array.from(kernel.dataSync()) }),
  );
try {
  const up = (y) => tf.mean(tf.square(tf.sub(y, 1)));
  const objectives = differs('code')
    ? ({ x }) => {
        const y = tf.matMul(x, kernel);
        return { up: up(y), down: tf.mean(tf.abs(y)) };
      }
    : ({ x }) => {
        const y = tf.matMul(x, kernel);
        return { up: up(y), down: tf.mean(tf.square(y)) };
      };
  const rate = differs('rate') ? 0.02 : 0.01;
  const trainer = new MultiObjectiveTrainer({
    objectives,
    variables: new Map([['kernel', kernel]]),
    strategy: mgda({ normalization: differs('strategy options') ? 'l2' : 'none' }),
    optimizer: differs('optimizer') ? tf.train.adam(rate) : tf.train.momentum(rate, 0.9),
    weightDecay: differs('decay') ? 0.02 : 0.01,
    lossScale: differs('loss scale') ? 16 : 8,
    clip: { globalNorm: differs('clip') ? 2 : 1 },
    exchange: gradientExchange(communicator),
  });
  const size = differs('batch size') ? 12 : 8;
  const data = Array.from({ length: 24 }, (_, sample) => [Math.sin(sample), Math.cos(sample)]);
  if (differs('data')) data[3] = [0.5, 0.5];
  function* batches() {
    for (let first = 0; first < data.length; first += size) {
      yield { x: tf.tensor2d(data.slice(first, first + size)) };
    }
  }
  await trainer.fit(shardBatches(batches, communicator), {
    epochs: 2,
    disposeBatches: true,
    callbacks: [
      {
        onBatchEnd: () => {
          steps += 1;
        },
      },
    ],
  });
  say();
  await communicator.close();
} catch (error) {
  console.error(error);
  say();
  communicator.abort(1);
}
