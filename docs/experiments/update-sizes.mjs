import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { useBackend } from '@multigrad/backends';
import { MultiObjectiveTrainer } from '@multigrad/core';
import { batchesByEpoch, cgMnist, readMnist } from '@multigrad/datasets';
import { digitEncoder, multimodalNetwork } from '@multigrad/models';
import { alignedMtl } from '@multigrad/strategy-aligned-mtl';
import { cagrad } from '@multigrad/strategy-cagrad';
import { conflictFree } from '@multigrad/strategy-conflict-free';
import { dualproj } from '@multigrad/strategy-dualproj';
import { edm } from '@multigrad/strategy-edm';
import { fairgrad } from '@multigrad/strategy-fairgrad';
import { gradvac } from '@multigrad/strategy-gradvac';
import { imtlG } from '@multigrad/strategy-imtl-g';
import { mgda } from '@multigrad/strategy-mgda';
import { mmpareto } from '@multigrad/strategy-mmpareto';
import { nashMtl } from '@multigrad/strategy-nash-mtl';
import { pcgrad } from '@multigrad/strategy-pcgrad';
import { upgrad } from '@multigrad/strategy-upgrad';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-layers';

// How long the updates of strategies are beside the sum's on the same gradients, and what is left of MMPareto's gamma behind
// an optimizer: the numbers of docs/adam.md. A minute or two: npm run docs:experiment.

const steps = 150;
const { name: backend } = await useBackend('wasm');
const { train } = cgMnist({ mnist: await readMnist(), trainSize: 2000, seed: 1 });

function makeNetwork() {
  const size = { width: 8, features: 64, seed: 1 };
  return multimodalNetwork({
    encoders: {
      gray: digitEncoder({ name: 'gray', channels: 1, ...size }),
      color: digitEncoder({ name: 'color', channels: 3, ...size }),
    },
    classes: 10,
    seed: 1,
  });
}

/** Trains for some steps; `onStep` gets the step's losses and how far the encoders' weights moved. */
async function run({ strategy, optimizer, onStep = () => undefined }) {
  const network = makeNetwork();
  const encoders = Object.values(network.parts).flat();
  const trainer = new MultiObjectiveTrainer({
    objectives: (batch, mode) => network.objectives(batch, batch.label, mode),
    variables: network.trainableVariables,
    parts: network.parts,
    strategy,
    optimizer,
  });
  let before = encoders.map((variable) => variable.clone());
  const abort = new AbortController();
  let step = 0;
  await trainer.fit(batchesByEpoch(train, { batchSize: 32, shuffleSeed: 1, dropRemainder: true }), {
    epochs: 10,
    signal: abort.signal,
    callbacks: [
      {
        onBatchEnd: async (_, logs) => {
          const squares = tf.tidy(() =>
            tf.addN(encoders.map((variable, i) => tf.sum(tf.square(tf.sub(variable, before[i]))))),
          );
          const moved = Math.sqrt((await squares.data())[0]);
          tf.dispose([squares, before]);
          before = encoders.map((variable) => variable.clone());
          onStep({ step, moved, losses: logs.losses });
          step += 1;
          if (step === steps) abort.abort();
        },
      },
    ],
  });
  tf.dispose(before);
  network.dispose();
}

/** Adds the gradients up, and notes how long each strategy's update of the same gradients would be beside the sum's. */
function observer(strategies, ratios) {
  return {
    specification: 1,
    name: 'observer',
    needs: { gradients: 'gramian' },
    init: (group) => strategies.map((strategy) => strategy.init(group)),
    integrate(gradients, states) {
      const { size, values } = gradients.gramian;
      const length = (w) => {
        let total = 0;
        for (let i = 0; i < size; i += 1)
          for (let j = 0; j < size; j += 1) total += w[i] * w[j] * values[i * size + j];
        return Math.sqrt(Math.max(total, 0));
      };
      const ones = new Float64Array(size).fill(1);
      const next = strategies.map((strategy, i) => {
        const { weights, state } = strategy.integrate(gradients, states[i]);
        if (length(ones) > 0) ratios.get(strategy.name).push(length(weights) / length(ones));
        return state;
      });
      return { weights: ones, state: next };
    },
  };
}

const quantile = (values, q) =>
  [...values].sort((a, b) => a - b)[Math.floor(q * (values.length - 1))];
const round = (value, digits = 3) => Number(value.toPrecision(digits));

const strategies = [
  ...[
    mmpareto(),
    pcgrad({ seed: 1 }),
    gradvac({ seed: 1 }),
    conflictFree(),
    cagrad(),
    upgrad(),
    dualproj(),
  ],
  ...[edm(), imtlG(), mgda(), alignedMtl(), nashMtl(), fairgrad()],
];
const ratios = new Map(strategies.map(({ name }) => [name, []]));
await run({ strategy: observer(strategies, ratios), optimizer: tf.train.momentum(0.01, 0.9) });
const lengths = [...ratios].map(([strategy, values]) => ({
  strategy,
  median: round(quantile(values, 0.5)),
  low: round(quantile(values, 0.1)),
  high: round(quantile(values, 0.9)),
}));

const optimizers = {
  'SGD with momentum': () => tf.train.momentum(0.01, 0.9),
  Adam: () => tf.train.adam(0.001),
};
const gammas = [1, 1.5, 3];
const runs = [];
for (const [optimizer, make] of Object.entries(optimizers)) {
  for (const gamma of gammas) {
    const moved = [];
    const losses = [];
    await run({
      strategy: mmpareto({ gamma }),
      optimizer: make(),
      onStep: (report) => {
        moved.push(report.moved);
        losses.push(report.losses.multimodal);
      },
    });
    const mean = (values) => values.reduce((total, value) => total + value, 0) / values.length;
    runs.push({
      optimizer,
      gamma,
      firstStep: round(moved[0], 6),
      firstTwenty: round(mean(moved.slice(0, 20)), 6),
      all: round(mean(moved), 6),
      // Means over ten steps, for the picture.
      losses: Array.from({ length: steps / 10 }, (_, i) =>
        round(mean(losses.slice(10 * i, 10 * i + 10)), 4),
      ),
    });
  }
}

const result = { backend, steps, lengths, runs };
writeFileSync(
  join(import.meta.dirname, 'update-sizes.json'),
  `${JSON.stringify(result, null, 2)}\n`,
);

console.log('| strategy | median | 10 % | 90 % |\n| --- | --- | --- | --- |');
for (const { strategy, median, low, high } of lengths)
  console.log(`| \`${strategy}\` | ${median} | ${low} | ${high} |`);
console.log('\n| optimizer | gamma | first step | first 20 steps | all | loss of the last 10 |');
console.log('| --- | --- | --- | --- | --- | --- |');
for (const { optimizer, gamma, firstStep, firstTwenty, all, losses } of runs) {
  const one = runs.find((other) => other.optimizer === optimizer && other.gamma === 1);
  const of = (key, value) => (value / one[key]).toFixed(2);
  console.log(
    `| ${optimizer} | ${gamma} | ${of('firstStep', firstStep)} | ${of('firstTwenty', firstTwenty)} | ${of('all', all)} | ${losses.at(-1).toFixed(3)} |`,
  );
}
