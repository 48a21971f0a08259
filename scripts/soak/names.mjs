// Names that nobody expects: of objectives, metrics, variables, statistics, callbacks. A run with them ends with the same
// bytes as one with plain names, in its checkpoint too, or is refused with the reason.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { csvLogger, jsonLines } from '../../packages/callbacks/dist/index.js';
import { Checkpoints } from '../../packages/checkpoint/dist/index.js';
import { builtinPlugins } from '../../packages/cli/dist/strategies/builtin.js';
import { MultiObjectiveTrainer } from '../../packages/core/dist/index.js';
import { MultigradError, randomState, resumeRandom } from '../../packages/core/dist/strategy.js';
import { newFolder } from './scratch.mjs';
import { openBackend } from './small-run.mjs';

const odd = [
  ...['constructor', 'toString', '__proto__', 'hasOwnProperty', 'valueOf', 'prototype', 'length'],
  ...['__defineGetter__', 'isPrototypeOf', 'toJSON', 'then', 'name', '$number', 'run', 'shared'],
  ...['loss', 'val', 'val_', 'val_a', 'a', 'b', 'a+b', 'b+a', 'a/b', 'a_loss', 'skipped', 'all'],
  ...['', ' ', '0', '2', '10', '-1', '1e3', 'NaN', 'null', 'undefined', 'true', 'feature:a'],
  ...['"', "'", '`', '\\', '\n', '\u0000', '../a', 'a,b', '[0]', 'ä', '😀', '\ud800', 'a (2)'],
];
const plainObjectives = ['one', 'two', 'three'];

/** Different names, in the order in which an object keeps them: whole numbers first. */
function pick(random, count) {
  const chosen = [...random.permutation(odd.length)].slice(0, count).map((place) => odd[place]);
  return Object.keys(Object.fromEntries(chosen.map((name) => [name, 0])));
}

function normal(shape, seed) {
  return tf.randomNormal(shape, 0, 1, 'float32', seed);
}

const isRandom = ({ name, options }) => 'seed' in options || name === 'random';

/** Trains with a checkpoint in between, from which another network goes on. @returns the weights' bytes */
async function train(plugin, names, groupBy, folder) {
  const { objectives, metrics, variables, statistic, callback } = names;
  const data = { x: normal([8, 3], 1), y: normal([8, 3], 2) };
  const make = () => {
    const shapes = [[3, 4], [4, 3], [3], [4, 3]];
    const own = new Map(
      variables.map((name, place) => [
        name,
        tf.tidy(() => tf.variable(tf.mul(normal(shapes[place], place + 3), 0.5))),
      ]),
    );
    const [first, second, bias, third] = [...own.values()];
    const seen = tf.tidy(() => tf.variable(tf.scalar(0), false));
    const optimizer = tf.train.momentum(0.02, 0.9);
    const trainer = new MultiObjectiveTrainer({
      objectives: ({ x, y }, { training }) => {
        if (training) seen.assign(tf.add(seen, 1));
        const hidden = tf.tanh(tf.matMul(x, first));
        const near = tf.add(tf.matMul(hidden, second), bias);
        const far = tf.matMul(hidden, third);
        const error = (found, target) => tf.mean(tf.square(tf.sub(found, target)));
        const losses = [error(near, y), error(near, tf.neg(y)), error(tf.add(near, far), y)];
        return Object.fromEntries(
          objectives.map((name, k) => [
            name,
            {
              loss: losses[k],
              metrics: Object.fromEntries(metrics.map((metric, m) => [metric, tf.scalar(m + k)])),
            },
          ]),
        );
      },
      variables: own,
      statistics: new Map([[statistic, seen]]),
      lossWeights: Object.fromEntries([[objectives[0], 0.5]]),
      strategy: plugin.create(),
      groupBy: ['trimmed-mean', 'krum'].includes(plugin.name) ? 'shared' : groupBy,
      optimizer,
      average: { decay: 0.5 },
      clip: { groupNorm: 5 },
      weightDecay: 1e-3,
      onNonFinite: 'skip',
    });
    return {
      trainer,
      bytes: () =>
        [...own.values(), seen].map((one) =>
          Buffer.from(one.dataSync().slice().buffer).toString('hex'),
        ),
      free: () => {
        trainer.dispose();
        optimizer.dispose();
        optimizer.c.dispose();
        tf.dispose([...own.values(), seen]);
      },
    };
  };
  const remembering = () => {
    let steps = 0;
    return {
      name: callback,
      onBatchEnd: () => (steps += 1),
      snapshot: () => ({ [callback]: steps }),
      restore: (state) => {
        if (!Object.hasOwn(state, callback))
          throw new Error('the callback lost what it remembered');
        steps = state[callback];
      },
    };
  };
  const fit = async ({ trainer }, epochs) => {
    const checkpoints = new Checkpoints(join(folder, 'checkpoints'));
    const restored = await checkpoints.restore(trainer);
    const history = await trainer.fit(data, {
      epochs,
      batchSize: 4,
      resume: restored?.fit,
      validationData: data,
      callbacks: [
        remembering(),
        jsonLines(join(folder, 'steps.jsonl')),
        csvLogger(join(folder, 'epochs.csv')),
        checkpoints.callback({ everySteps: 1 }),
      ],
    });
    const { losses } = await trainer.evaluate(data, { weights: 'average' });
    const logged = Object.keys(history.history).length;
    // The sum and each loss and metric, of training and validation, and the steps left out.
    if (logged !== 2 * (1 + 3 + 3 * metrics.length) + 1) throw new Error(`${logged} logs`);
    return Object.values(losses);
  };
  const made = [];
  const network = () => {
    const one = make();
    made.push(one);
    return one;
  };
  try {
    await fit(network(), 1);
    const later = network();
    const losses = await fit(later, 2);
    return JSON.stringify([later.bytes(), losses]);
  } finally {
    for (const one of made) one.free();
    tf.dispose(data);
  }
}

/** @returns how many runs were right, how many refused with a reason, and the others */
export async function oddNames({ count, seed, backend }) {
  await openBackend(backend);
  const random = resumeRandom(randomState(seed, 'names'));
  const plugins = builtinPlugins.filter(
    (plugin) => !isRandom(plugin) && (plugin.create().needs.batches ?? 1) === 1,
  );
  const groupings = ['reach', 'shared', 'layer', 'tensor'];
  const expected = new Map();
  const found = { right: 0, refused: new Map(), wrong: [] };
  for (let number = 0; number < count; number += 1) {
    const plugin = plugins[number % plugins.length];
    const groupBy = groupings[random.integer(groupings.length)];
    const run = async (names) => {
      const folder = newFolder('names');
      try {
        return await train(plugin, names, groupBy, folder);
      } finally {
        rmSync(folder, { recursive: true });
      }
    };
    const key = `${plugin.name} ${groupBy}`;
    if (!expected.has(key)) {
      const plain = {
        objectives: plainObjectives,
        metrics: ['exact', 'large'],
        variables: ['first/kernel', 'second/kernel', 'second/bias', 'third/kernel'],
        ...{ statistic: 'seen', callback: 'counter' },
      };
      expected.set(key, await run(plain));
    }
    // The layer is a part of the name, so odd names keep their layer's part.
    const layers = ['first', 'second', 'second', 'third'];
    const leaves = [...random.permutation(odd.length)]
      .slice(0, 4)
      .map((place) => odd[place].replaceAll('/', ':'));
    const names = {
      objectives: pick(random, 3),
      metrics: pick(random, 2),
      variables:
        groupBy === 'layer'
          ? layers.map((layer, place) => `${layer}/${leaves[place]}`)
          : [...random.permutation(odd.length)].slice(0, 4).map((place) => odd[place]),
      statistic: odd[random.integer(odd.length)],
      callback: odd[random.integer(odd.length)],
    };
    try {
      if ((await run(names)) === expected.get(key)) found.right += 1;
      else found.wrong.push(`${key}: other numbers with ${JSON.stringify(names)}`);
    } catch (error) {
      if (MultigradError.isInstance(error)) {
        const reason = error.message.split('.')[0];
        found.refused.set(reason, (found.refused.get(reason) ?? 0) + 1);
      } else
        found.wrong.push(
          `${key}: ${error.stack.split('\n').slice(0, 3).join(' ')} with ${JSON.stringify(names)}`,
        );
    }
  }
  return found;
}
