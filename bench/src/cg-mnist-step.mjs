// One optimizer step of the two-encoder CG-MNIST network, per strategy.
import '@tensorflow/tfjs-layers';
import { useBackend } from '@multigrad/backends';
import { MultiObjectiveTrainer, withFeatures } from '@multigrad/core';
import { digitEncoder, multimodalNetwork } from '@multigrad/models';
import { mgda } from '@multigrad/strategy-mgda';
import { mmpareto } from '@multigrad/strategy-mmpareto';
import { pcgrad } from '@multigrad/strategy-pcgrad';
import { sum } from '@multigrad/strategy-sum';
import * as tf from '@tensorflow/tfjs-core';
import { interleave, quantile, ratio } from './interleave.mjs';

const batchSize = 64;

/** Prints medians, quartiles and ratios to `sum` on one backend. */
export async function benchSteps({ backend, width, rounds }) {
  const { name, reason } = await useBackend(backend);
  const network = multimodalNetwork({
    encoders: {
      gray: digitEncoder({ name: 'gray', channels: 1, width, seed: 1 }),
      color: digitEncoder({ name: 'color', channels: 3, width, seed: 1 }),
    },
    classes: 10,
    seed: 1,
  });
  const batch = {
    gray: tf.randomUniform([batchSize, 28, 28, 1], 0, 1, 'float32', 1),
    color: tf.randomUniform([batchSize, 28, 28, 3], 0, 1, 'float32', 2),
    label: tf.tensor1d(
      Array.from({ length: batchSize }, (_, i) => i % 10),
      'int32',
    ),
  };
  const trainers = {
    sum: trainerOf(network, sum()),
    mmpareto: trainerOf(network, mmpareto()),
    "mmpareto 'tensor'": trainerOf(network, mmpareto({ rescale: 'tensor' })),
    pcgrad: trainerOf(network, pcgrad()),
    mgda: trainerOf(network, mgda()),
    'mmpareto, features': trainerOf(network, mmpareto(), 'features'),
  };
  const cases = Object.fromEntries(
    Object.entries(trainers).map(([label, trainer]) => [
      label,
      async () => void (await trainer.trainOnBatch(batch)),
    ]),
  );
  const times = await interleave(cases, { warmup: 3, rounds });
  console.log(
    `CG-MNIST step, width ${width}, batch ${batchSize}, backend ${name} (${reason}), ${rounds} rounds`,
  );
  for (const [label, own] of Object.entries(times)) {
    const [low, median, high] = [0.25, 0.5, 0.75].map((q) => quantile(own, q).toFixed(1));
    const { median: r, low: rl, high: rh } = ratio(own, times.sum);
    console.log(
      `  ${label.padEnd(20)} ${median.padStart(7)} ms (${low} … ${high})   x ${r.toFixed(2)} of sum (${rl.toFixed(2)} … ${rh.toFixed(2)})`,
    );
  }
  tf.dispose(batch);
  network.dispose();
}

function trainerOf(network, strategy, level = 'parameters') {
  return new MultiObjectiveTrainer({
    objectives: (batch, mode) => {
      if (level === 'parameters') return network.losses(batch, batch.label, mode);
      const features = network.features(batch, mode);
      return withFeatures(network.lossesFromFeatures(features, batch.label, mode), features);
    },
    variables: network.trainableVariables,
    parts: network.parts,
    level,
    strategy,
    optimizer: tf.train.momentum(1e-3, 0.9),
  });
}
