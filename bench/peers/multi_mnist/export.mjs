import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { useBackend } from '@multigrad/backends';
import { cosineDecay, fusedMomentum, MultiObjectiveTrainer } from '@multigrad/core';
import { batchesByEpoch, batchesPerEpoch, multiMnist, readMnist } from '@multigrad/datasets';
import { lenet, multiTaskNetwork } from '@multigrad/models';
import { mmpareto } from '@multigrad/strategy-mmpareto';
import { sum } from '@multigrad/strategy-sum';
import * as tf from '@tensorflow/tfjs-core';

// What a run of the experiment multi-mnist starts from, for the program in PyTorch beside it: images, labels, initial weights
// and the order of the samples, the same as the command line's for a seed.
//
//   node bench/peers/multi_mnist/export.mjs out=FOLDER seed=0 train=20000 validation=4000 test=10000 epochs=16 noise=0.5
//   … losses=30 strategy=mmpareto lr=0.01   also trains for so many steps and writes down their losses

const given = Object.fromEntries(process.argv.slice(2).map((word) => word.split('=')));
const number = (name, fallback) => Number(given[name] ?? fallback);
const [seed, epochs, batchSize] = [number('seed', 0), number('epochs', 16), number('batch', 64)];
const sizes = {
  trainSize: number('train', 20_000),
  validationSize: number('validation', 4000),
  testSize: number('test', 10_000),
};
const folder = given['out'];
if (folder === undefined) throw new Error('Name the folder to write to: out=FOLDER');
mkdirSync(folder, { recursive: true });
const write = (name, array) =>
  writeFileSync(
    join(folder, name),
    new Uint8Array(array.buffer, array.byteOffset, array.byteLength),
  );

await useBackend(given['backend'] ?? 'wasm');
const mnist = await readMnist();
const data = multiMnist({ mnist, ...sizes, noise: number('noise', 0), seed });

/** Writes a set's images as bytes, and its labels. */
async function writeSet(name, set) {
  const images = new Uint8Array(set.count * 36 * 36);
  for (let start = 0; start < set.count; start += 500) {
    const indices = Int32Array.from(
      { length: Math.min(500, set.count - start) },
      (_, k) => start + k,
    );
    const batch = await set.batch(indices, { epoch: 0 });
    const values = await batch.image.data();
    // Pixels are 255ths.
    images.set(
      values.map((value) => Math.round(255 * value)),
      start * 36 * 36,
    );
    tf.dispose(batch);
  }
  write(`${name}-images.u8`, images);
  write(`${name}-left.u8`, set.left);
  write(`${name}-right.u8`, set.right);
}

const makeNetwork = () =>
  multiTaskNetwork({
    trunk: lenet({ name: 'trunk', channels: 1, seed }),
    tasks: {
      left: { kind: 'classification', classes: 10 },
      right: { kind: 'classification', classes: 10 },
    },
    seed,
  });
const batching = { batchSize, shuffleSeed: seed, dropRemainder: true };

for (const name of ['train', 'validation', 'test']) await writeSet(name, data[name]);
const network = makeNetwork();
const weights = [];
for (const [name, variable] of network.namedVariables) {
  const file = `weights-${weights.length}.f32`;
  write(file, await variable.data());
  weights.push({ name, shape: variable.shape, file });
}
// The order in which an epoch sees the samples: batches of their numbers in the place of images.
const numbered = {
  count: data.train.count,
  batch: (indices) => ({ index: tf.tensor1d(indices, 'int32') }),
};
for (let epoch = 0; epoch < epochs; epoch += 1) {
  const order = [];
  for await (const { index } of batchesByEpoch(numbered, batching)(epoch)) {
    order.push(...(await index.data()));
    index.dispose();
  }
  write(`order-${epoch}.i32`, Int32Array.from(order));
}

let losses = null;
if (given['losses'] !== undefined) {
  const steps = batchesPerEpoch(data.train.count, batching);
  const lr = number('lr', 0.01);
  losses = [];
  const trainer = new MultiObjectiveTrainer({
    objectives: ({ image, ...labels }, mode) => network.objectives(image, labels, mode),
    variables: network.namedVariables,
    parts: network.parts,
    strategy: given['strategy'] === 'mmpareto' ? mmpareto() : sum(),
    optimizer: fusedMomentum(network.namedVariables, { learningRate: lr, momentum: 0.9 }),
    learningRate: cosineDecay({ rate: lr, steps: epochs * steps }),
    weightDecay: 1e-4,
  });
  for await (const batch of batchesByEpoch(data.train, batching)(0)) {
    const report = await trainer.trainOnBatch(batch);
    losses.push([report.losses.left, report.losses.right]);
    tf.dispose(batch);
    if (losses.length === Number(given['losses'])) break;
  }
}
network.dispose();
writeFileSync(
  join(folder, 'setting.json'),
  JSON.stringify({ seed, epochs, batchSize, ...sizes, noise: number('noise', 0), weights, losses }),
);
