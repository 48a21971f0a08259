// Calls from outside at random moments while a training goes on: each is refused or right, and the training ends with the
// bytes that it has undisturbed.
import { setImmediate } from 'node:timers/promises';
import * as tf from '@tensorflow/tfjs-core';
import {
  checkGradients,
  integrateGradients,
  MultiObjectiveTrainer,
} from '../../packages/core/dist/index.js';
import { MultigradError, randomState, resumeRandom } from '../../packages/core/dist/strategy.js';
import { pcgrad } from '../../packages/strategy-pcgrad/dist/index.js';
import { openBackend } from './small-run.mjs';

const batches = [1, 2, 3, 4, 5];

function make() {
  const weights = tf.tidy(() => tf.variable(tf.tensor1d([0.5, -0.5, 1])));
  const head = tf.tidy(() => tf.variable(tf.tensor1d([0.25, 1, -1])));
  const optimizer = tf.train.adam(0.05);
  const objectives = (batch) => ({
    a: tf.mean(tf.square(tf.sub(weights, batch))),
    b: tf.mean(tf.square(tf.add(tf.mul(weights, head), batch))),
    c: tf.mean(tf.square(tf.sub(head, weights))),
  });
  const trainer = new MultiObjectiveTrainer({
    objectives,
    variables: new Map([
      ['weights', weights],
      ['head', head],
    ]),
    strategy: pcgrad({ seed: 1 }),
    optimizer,
    average: { decay: 0.5 },
  });
  const text = ({ state, tensors }) =>
    JSON.stringify([state, Array.from(tensors, ([name, one]) => [name, [...one.dataSync()]])]);
  return {
    trainer,
    all: () => text(trainer.snapshot()),
    calls: {
      fit: () => trainer.fit(batches, { epochs: 1 }),
      trainOnBatch: () => trainer.trainOnBatch(9),
      evaluate: () => trainer.evaluate(batches),
      averages: () => trainer.evaluate(batches, { weights: 'average' }),
      build: () => trainer.build([1]),
      freeze: () => trainer.freeze(['head']),
      restore: () => trainer.restore(trainer.snapshot()),
      snapshot: () => text(trainer.snapshot()),
      gatherSnapshot: async () => text(await trainer.gatherSnapshot()),
      dispose: () => trainer.dispose(),
      checkGradients: () => checkGradients(() => objectives(1), [weights, head], { samples: 1 }),
      integrateGradients: async () => {
        const { gradients } = await integrateGradients(pcgrad(), () => objectives(1), [weights]);
        tf.dispose(gradients);
      },
    },
    free: () => {
      trainer.dispose();
      optimizer.dispose();
      tf.dispose([weights, head]);
    },
  };
}

/** Waits for a number of turns, of the queue of promises or of the event loop. */
async function turns(count) {
  for (let turn = 0; turn < count; turn += 1) {
    if (turn % 7 === 6) await setImmediate();
    else await null;
  }
}

/** What goes on: a `fit` with callbacks that take their time, steps by hand, or evaluations. */
const goings = {
  fit: ({ trainer }) =>
    trainer.fit(batches, { epochs: 3, callbacks: [{ onBatchEnd: () => turns(9) }] }),
  steps: async ({ trainer }) => {
    for (const batch of batches) await trainer.trainOnBatch(batch);
  },
  averages: async ({ trainer }) => trainer.evaluate(batches, { weights: 'average' }),
};

/** @returns how many calls were right, how many refused, and what went wrong */
export async function disturbed({ runs, seed, backend }) {
  await openBackend(backend);
  const random = resumeRandom(randomState(seed, 'overlaps'));
  const found = { runs: 0, accepted: 0, refused: 0, wrong: [] };
  const begin = async () => {
    const run = make();
    await run.trainer.trainOnBatch(7);
    return run;
  };
  const undisturbed = new Map();
  for (const [name, going] of Object.entries(goings)) {
    const run = await begin();
    await going(run);
    undisturbed.set(name, run.all());
    run.free();
  }
  const names = Object.keys(make().calls);
  // These calls change the training. They are tried only where they must be refused: during a step.
  const changing = new Set(['build', 'freeze', 'restore']);
  for (; found.runs < runs; found.runs += 1) {
    const kinds = Object.keys(goings);
    const kind = kinds[random.integer(kinds.length)];
    const run = await begin();
    let over = false;
    const going = goings[kind](run).finally(() => (over = true));
    const others = [];
    for (let call = 0; call < 6 && !over; call += 1) {
      await turns(random.integer(40));
      const name = names[random.integer(names.length)];
      // Between two steps, and in callbacks of `fit`, these calls are allowed, so the result would differ.
      if (over || (kind !== 'averages' && (changing.has(name) || name === 'dispose'))) continue;
      if (kind === 'steps' && ['fit', 'trainOnBatch'].includes(name)) continue;
      others.push(
        (async () => run.calls[name]())().then(
          () => (found.accepted += 1),
          (error) => {
            if (MultigradError.isInstance(error) && error.code === 'interleaved-call')
              found.refused += 1;
            else found.wrong.push(`${name} during ${kind}: ${error.message}`);
          },
        ),
      );
      if (kind === 'steps') await Promise.all(others);
    }
    await going.catch((error) => {
      // With steps by hand, the call from outside may have begun first: then the step is refused.
      if (kind !== 'steps' || error.code !== 'interleaved-call')
        found.wrong.push(`${kind}: ${error.message}`);
      else run.refusedItself = true;
    });
    await Promise.all(others);
    if (run.refusedItself !== true && run.all() !== undisturbed.get(kind)) {
      found.wrong.push(`${kind} ended with other numbers`);
    }
    run.free();
  }
  return found;
}
