// Trains a small network with every strategy in several ways, by as many ranks as there are, and prints the weights of each as
// a line of JSON. `plain` and `reversed`: by one process without ranks; the latter turns the samples of each batch around.
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers';
import process from 'node:process';
import { MultiObjectiveTrainer } from '@multigrad/core';
import { randomState, resumeRandom } from '@multigrad/core/strategy';
import { alone, gradientExchange, shardBatches } from '@multigrad/distributed';
import { openRanks } from '@multigrad/distributed/node';
import * as tf from '@tensorflow/tfjs-core';
import { builtinPlugins } from '../../../packages/cli/dist/strategies/builtin.js';

const mode = process.argv[2];
const steps = 6;
const sizes = [13, 9, 11];
const tasks = ['sine', 'sign', 'far'];
const ranks = mode === 'ranks' ? await openRanks() : alone();
await tf.setBackend('cpu');

/** SDMGrad's default step size amplifies rounding, as its options say: 3/K does not. */
const steady = { sdmgrad: { learningRate: 1 } };

/** Ways to train: what the trainer is told, and whether labels of one objective are missing. */
const ways = {
  plain: {},
  'missing labels': { missing: true },
  accumulate: { accumulate: 2, missing: true },
  clip: {
    clip: { value: 0.2, groupNorm: 0.3, globalNorm: 0.4 },
    clipObjectives: { globalNorm: 0.5 },
  },
  EMA: { average: { decay: 0.9 }, decoupledWeightDecay: 0.1 },
  all: { missing: true, accumulate: 2, clip: { globalNorm: 0.4 }, average: { decay: 0.9 } },
};

function numbers(what, size) {
  const random = resumeRandom(randomState(3, what));
  return Float32Array.from({ length: size }, () => 2 * random.uniform() - 1);
}

const variable = ([name, shape]) => [
  name,
  tf.tidy(() => tf.variable(tf.tensor(numbers(name, shape[0] * shape[1]), shape))),
];

function network() {
  const variables = new Map(
    [
      ['trunk', [5, 8]],
      ['sine', [8, 1]],
      ['sign', [8, 2]],
      ['far', [8, 1]],
    ].map(variable),
  );
  const objectives = (batch) => {
    const features = tf.tanh(tf.matMul(batch.x, variables.get('trunk')));
    return Object.fromEntries(
      tasks.map((task) => {
        const output = tf.sum(tf.matMul(features, variables.get(task)), 1, true);
        const known = tf.sub(1, tf.cast(tf.isNaN(batch[task]), 'float32'));
        const wrong = tf.where(
          tf.cast(known, 'bool'),
          tf.sub(output, batch[task]),
          tf.zerosLike(output),
        );
        // A part of a batch may have no label at all: its mean is then of nothing.
        const samples = tf.sum(known);
        return [task, { loss: tf.div(tf.sum(tf.square(wrong)), samples), samples }];
      }),
    );
  };
  return { variables, objectives };
}

function batch(number, missing) {
  const size = sizes[number % sizes.length];
  const x = numbers(`x ${number}`, size * 5);
  const of = (f) =>
    Float32Array.from({ length: size }, (_, i) => f(x.subarray(5 * i, 5 * i + 5), i));
  const column = (values) => tf.tensor2d(values, [size, values.length / size]);
  const made = {
    x: column(x),
    sine: column(of((row) => Math.sin(3 * row[0] + row[1]))),
    sign: column(of((row) => -Math.sin(3 * row[0]) + row[2])),
    far: column(of((row, i) => (missing && i > 4 ? NaN : 2 * row[3] - row[0]))),
  };
  if (mode !== 'reversed') return made;
  return Object.fromEntries(
    Object.entries(made).map(([name, value]) => [name, tf.reverse(value, 0)]),
  );
}

for (const plugin of builtinPlugins) {
  for (const [way, { missing = false, ...options }] of Object.entries(ways)) {
    const { variables, objectives } = network();
    const strategy = plugin.create(steady[plugin.name]);
    const together = (strategy.needs.batches ?? 1) * (options.accumulate ?? 1);
    let error = null;
    let all = [];
    try {
      const trainer = new MultiObjectiveTrainer({
        ...{ objectives, variables, strategy, optimizer: tf.train.momentum(0.02, 0.9) },
        ...(mode === 'ranks' ? { exchange: gradientExchange(ranks) } : {}),
        ...options,
      });
      const whole = function* () {
        for (let number = 0; number < steps * together; number += 1) yield batch(number, missing);
      };
      await trainer.fit(mode === 'ranks' ? shardBatches(whole, ranks) : whole, { epochs: 1 });
      const { tensors } = await trainer.gatherSnapshot();
      const kept = [...tensors].filter(([name]) => /^(weights|average)\//.test(name));
      all = kept.flatMap(([, value]) => [...value.dataSync()]);
      trainer.dispose();
    } catch (thrown) {
      error = thrown.message.replace(/^Rank \d+: /, '');
    }
    if (ranks.rank === 0) {
      console.log(JSON.stringify({ strategy: plugin.name, way, weights: all, error }));
    }
  }
}
await ranks.close();
