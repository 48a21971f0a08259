// Resumes from every safe point of many small runs, in networks whose variables TensorFlow.js calls otherwise, and compares
// all that is left in the end byte by byte with the run that was never interrupted.
import * as tf from '@tensorflow/tfjs-core';
import { builtinPlugins } from '../../packages/cli/dist/strategies/builtin.js';
import {
  cosineDecay,
  earlyStopping,
  fusedAdam,
  fusedMomentum,
  MultiObjectiveTrainer,
  stepDecay,
  tensorBatches,
  warmUp,
} from '../../packages/core/dist/index.js';
import { randomState, resumeRandom } from '../../packages/core/dist/strategy.js';
import { dropout } from '../../packages/models/dist/index.js';
import { openBackend } from './small-run.mjs';

const choices = {
  groupBy: ['reach', 'shared', 'layer', 'tensor'],
  accumulate: [1, 1, 2],
  average: [null, 0.9],
  schedule: ['none', 'cosine', 'steps'],
  early: [false, true],
  optimizer: [
    'sgd',
    'momentum',
    'adam',
    'adamax',
    'rmsprop',
    'adagrad',
    'adadelta',
    'fused momentum',
    'fused adam',
    'own',
  ],
  lossScale: ['none', 'dynamic'],
  clip: [false, true],
  decay: [false, true],
  named: [true, true, false],
  damaged: [false, false, true],
  validation: [false, true],
};

/** Every strategy in turn, each time with other choices of all else. */
export function configurations(count, seed) {
  const random = resumeRandom(randomState(seed, 'resume'));
  return Array.from({ length: count }, (_, number) => ({
    strategy: builtinPlugins[number % builtinPlugins.length].name,
    ...Object.fromEntries(
      Object.entries(choices).map(([what, values]) => [
        what,
        values[random.integer(values.length)],
      ]),
    ),
  }));
}

const rate = 0.02;
const schedules = {
  none: () => undefined,
  cosine: () => warmUp(3, cosineDecay({ rate, steps: 20 })),
  steps: () => stepDecay({ rate, every: 3, factor: 0.5 }),
};
const optimizers = {
  sgd: () => tf.train.sgd(rate),
  momentum: () => tf.train.momentum(rate, 0.9),
  adam: () => tf.train.adam(rate),
  adamax: () => tf.train.adamax(rate),
  // Not the centred kind: that of TensorFlow.js takes the root of a difference that small gradients make negative.
  rmsprop: () => tf.train.rmsprop(rate, 0.9, 0.5),
  adagrad: () => tf.train.adagrad(rate),
  adadelta: () => tf.train.adadelta(rate),
  'fused momentum': (variables) => fusedMomentum(variables, { learningRate: rate }),
  'fused adam': (variables) => fusedAdam(variables, { learningRate: rate }),
  own: ownOptimizer,
};

/** Steps that become smaller with their number, which it remembers beside a number that JSON has not. */
function ownOptimizer(variables) {
  let [steps, best, learningRate] = [0, Infinity, rate];
  const own = new Map([...variables.values()].map((variable) => [variable.name, variable]));
  return {
    kind: 'own',
    applyGradients: (gradients) => {
      steps += 1;
      if (steps % 4 === 0) best = Math.min(best, steps);
      for (const [name, gradient] of Object.entries(gradients)) {
        if (gradient === null) continue;
        const factor = learningRate / Math.sqrt(steps + Math.min(best, 10));
        tf.tidy(() => own.get(name).assign(tf.sub(own.get(name), tf.mul(gradient, factor))));
      }
    },
    setLearningRate: (value) => {
      learningRate = value;
    },
    snapshot: () => ({ values: { steps, best }, tensors: new Map() }),
    restore: ({ values }) => ({ steps, best } = values),
  };
}

const samples = 24;
const batchSize = 4;

function normal(shape, seed) {
  return tf.randomNormal(shape, 0, 1, 'float32', seed);
}

/** A network of three objectives with a layer that two of them share, dropout and a moving statistic. */
function network(configuration) {
  const { strategy, groupBy, accumulate, average, schedule, lossScale, clip, decay, named } =
    configuration;
  const shapes = {
    'first/kernel': [5, 6],
    'first/bias': [6],
    'second/kernel': [6, 4],
    'up/kernel': [4, 2],
    'up/bias': [2],
    'down/kernel': [4, 2],
    'other/kernel': [6, 2],
  };
  const variables = new Map(
    Object.entries(shapes).map(([name, shape], place) => [
      name,
      tf.tidy(() => {
        // Without a name of its own TensorFlow.js counts; with one, only a network at a time can have it.
        return tf.variable(tf.mul(normal(shape, place + 1), 0.5), true, named ? undefined : name);
      }),
    ]),
  );
  const w = (name) => variables.get(name);
  const mean = tf.tidy(() => tf.variable(tf.zeros([6]), false, named ? undefined : 'mean'));
  const drop = dropout({ name: 'dropout', rate: 0.2, seed: 3 });
  const optimizer = optimizers[configuration.optimizer](variables);
  const plugin = builtinPlugins.find(({ name }) => name === strategy);
  const learningRate = schedules[schedule]();
  const trainer = new MultiObjectiveTrainer({
    objectives: ({ x, up, down, other }, { training, step }) => {
      const wide = tf.add(tf.matMul(x, w('first/kernel')), w('first/bias'));
      const hidden = tf.tanh(tf.sub(wide, mean));
      if (training) mean.assign(tf.add(tf.mul(mean, 0.9), tf.mul(tf.mean(wide, 0), 0.1)));
      const kept = drop.apply(tf.tanh(tf.matMul(hidden, w('second/kernel'))), { training, step });
      const error = (target, found) => tf.mean(tf.square(tf.sub(target, found)));
      return {
        up: error(up, tf.add(tf.matMul(kept, w('up/kernel')), w('up/bias'))),
        down: {
          loss: error(down, tf.matMul(kept, w('down/kernel'))),
          metrics: { size: tf.mean(tf.abs(kept)) },
        },
        other: error(other, tf.matMul(hidden, w('other/kernel'))),
      };
    },
    variables: named ? variables : [...variables.values()],
    statistics: named ? new Map([['mean', mean]]) : [mean],
    strategy: plugin.create('seed' in plugin.options ? { seed: 5 } : {}),
    optimizer,
    // Some strategies want three objectives in each group.
    groupBy: ['trimmed-mean', 'krum'].includes(strategy) ? 'shared' : groupBy,
    accumulate,
    onNonFinite: 'skip',
    ...(average === null ? {} : { average: { decay: average } }),
    ...(learningRate === undefined ? {} : { learningRate }),
    ...(lossScale === 'none' ? {} : { lossScale: { initial: 8, growEvery: 3 } }),
    ...(clip ? { clip: { groupNorm: 1, globalNorm: 2 }, clipObjectives: { globalNorm: 3 } } : {}),
    ...(decay ? { weightDecay: 1e-3 } : {}),
  });
  return {
    trainer,
    dispose: () => {
      trainer.dispose();
      optimizer.dispose?.();
      if (optimizer instanceof tf.Optimizer) optimizer.c?.dispose();
      tf.dispose([...variables.values(), mean]);
    },
  };
}

/** The training data; where they are damaged one batch makes a step that has to be left out. */
function dataOf({ damaged }) {
  return tf.tidy(() => {
    const x = normal([samples, 5], 11);
    const broken = tf.pad(tf.tensor2d([[NaN]]), [
      [9, samples - 10],
      [0, 4],
    ]);
    return {
      x: damaged ? tf.add(x, broken) : x.clone(),
      up: normal([samples, 2], 12),
      down: normal([samples, 2], 13),
      other: normal([samples, 2], 14),
    };
  });
}

/** A callback that remembers what JSON has not. */
function odd() {
  let state = { best: -Infinity, last: NaN, zero: -0 };
  return {
    name: 'odd',
    onBatchEnd: (_, { step, losses }) => {
      state = {
        best: Math.max(state.best, losses.up ?? -Infinity),
        last: step % 2 ? NaN : step,
        zero: -0,
      };
    },
    snapshot: () => state,
    restore: (kept) => {
      if (!Object.is(kept.zero, -0) || Number.isNaN(kept.best))
        throw new Error('changed on the way');
      state = kept;
    },
  };
}

/** A snapshot as a file holds it. */
function copyOf({ state, tensors }) {
  return {
    state: JSON.parse(JSON.stringify(state)),
    tensors: Array.from(tensors, ([name, value]) => [
      name,
      value.dataSync().slice(),
      value.shape,
      value.dtype,
    ]),
  };
}

/** All that a trainer and its history are, as text; numbers as they are in memory. */
function bytesOf(trainer, history) {
  const { state, tensors } = copyOf(trainer.snapshot());
  const numbers = tensors.map(([name, values]) => [
    name,
    Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('hex'),
  ]);
  const columns = Object.entries(history.history).map(([name, values]) => [
    name,
    values.map(String),
  ]);
  return JSON.stringify([state, numbers.sort(), history.epoch, columns, history.stopped ?? null]);
}

/**
 * Trains each configuration through, then from each safe point of it.
 *
 * @returns how many runs ended with other bytes than they should have, by what was resumed
 */
export async function resumeEverywhere({ count, seed, backend, epochs }) {
  await openBackend(backend);
  const found = { configurations: 0, resumed: 0, stoppedEarly: 0, skipped: 0, different: [] };
  for (const [number, configuration] of configurations(count, seed).entries()) {
    if (process.env.SOAK_VERBOSE) console.log(number, JSON.stringify(configuration));
    const { early, damaged, validation } = configuration;
    const data = dataOf(configuration);
    const fitWith = async ({ trainer }, resume, more) =>
      trainer.fit(tensorBatches(data, { batchSize, shuffle: damaged ? false : 7 }), {
        epochs,
        resume,
        ...(validation && !damaged ? { validationData: data, batchSize: 16 } : {}),
        callbacks: [
          more.before ?? {},
          odd(),
          ...(early ? [earlyStopping({ monitor: 'loss', patience: 1, minDelta: 0.05 })] : []),
          more.after ?? {},
        ],
      });
    const kept = [];
    const keeper = { onSafePoint: ({ snapshot }) => void kept.push(copyOf(snapshot())) };
    const whole = network(configuration);
    // Before the others or after them: a checkpoint may be made before training is known to be over.
    const history = await fitWith(whole, null, number % 2 ? { before: keeper } : { after: keeper });
    const expected = bytesOf(whole.trainer, history);
    if (history.stopped !== undefined) found.stoppedEarly += 1;
    if (history.history.skipped?.some((skips) => skips > 0)) found.skipped += 1;
    whole.dispose();
    for (const [point, { state, tensors }] of kept.entries()) {
      const later = network(configuration);
      const read = new Map(
        tensors.map(([name, values, shape, dtype]) => [name, tf.tensor(values, shape, dtype)]),
      );
      const resume = later.trainer.restore({ state, tensors: read });
      tf.dispose([...read.values()]);
      const again = await fitWith(later, resume, {});
      if (bytesOf(later.trainer, again) !== expected) {
        found.different.push(`point ${point} of ${JSON.stringify(configuration)}`);
      }
      found.resumed += 1;
      later.dispose();
    }
    found.configurations += 1;
    tf.dispose(data);
  }
  return found;
}
