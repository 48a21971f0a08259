// Steps of one workload on one backend, in a process of its own: `node step-worker.mjs BACKEND WORKLOAD BATCH WIDTH
// [THREADS]`.
import '@tensorflow/tfjs-layers';
import { useBackend } from '@multigrad/backends';
import { fusedMomentum, MultiObjectiveTrainer, withFeatures } from '@multigrad/core';
import { mgda } from '@multigrad/strategy-mgda';
import { mmpareto } from '@multigrad/strategy-mmpareto';
import { pcgrad } from '@multigrad/strategy-pcgrad';
import { sum } from '@multigrad/strategy-sum';
import * as tf from '@tensorflow/tfjs-core';
import { exchange } from './exchange.mjs';
import { answerLines } from './processes/line-process.mjs';
import { workloads } from './workloads/index.mjs';

const [backend, name, batchSize, width, threads = 'auto'] = process.argv.slice(2);
// TensorFlow reads it when it is loaded.
if (threads !== 'auto') process.env.TF_NUM_INTRAOP_THREADS = threads;
const report = await useBackend(backend, threads === 'auto' ? {} : { threads: Number(threads) });
const { network, inputs, targets } = workloads[name].make(Number(batchSize), Number(width));

const trainers = {
  sum: trainerOf(sum()),
  mmpareto: trainerOf(mmpareto()),
  "mmpareto 'tensor'": trainerOf(mmpareto({ rescale: 'tensor' })),
  pcgrad: trainerOf(pcgrad()),
  mgda: trainerOf(mgda()),
  'sum, features': trainerOf(sum(), 'features'),
  'mmpareto, features': trainerOf(mmpareto(), 'features'),
};

function trainerOf(strategy, level = 'parameters') {
  return new MultiObjectiveTrainer({
    objectives: (batch, mode) => {
      if (level === 'parameters') return network.losses(batch, targets, mode);
      const features = network.features(batch, mode);
      return withFeatures(network.lossesFromFeatures(features, targets, mode), features);
    },
    variables: network.trainableVariables,
    parts: network.parts,
    level,
    strategy,
    optimizer: fusedMomentum(network.trainableVariables, { learningRate: 1e-3, momentum: 0.9 }),
  });
}

await answerLines(
  { backend: report.name, reason: report.reason, cases: Object.keys(trainers) },
  async (request) => {
    if (request.memory) return { megabytes: process.resourceUsage().maxRSS / 1024 };
    if (request.agree) return exchange(network, inputs, targets);
    const trainer = trainers[request.case];
    if (request.peak) {
      const before = tf.memory().numBytes;
      const { peakBytes } = await tf.profile(() => trainer.trainOnBatch(inputs).then(() => []));
      return { megabytes: (peakBytes - before) / 2 ** 20 };
    }
    const start = performance.now();
    await trainer.trainOnBatch(inputs);
    return { milliseconds: performance.now() - start };
  },
);
