// A program of a user's own for several ranks, with checkpoints: `node train.mjs PLAN`, PLAN being JSON. At one step one rank
// does what the plan's `fault` says. Rank 0 prints each step and, at the end, a digest of the weights.
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers';
import { createHash } from 'node:crypto';
import process from 'node:process';
import { Checkpoints } from '@multigrad/checkpoint';
import { MultiObjectiveTrainer } from '@multigrad/core';
import { randomState, resumeRandom } from '@multigrad/core/strategy';
import { gradientExchange, shardBatches } from '@multigrad/distributed';
import { openRanks } from '@multigrad/distributed/node';
import { pcgrad } from '@multigrad/strategy-pcgrad';
import * as tf from '@tensorflow/tfjs-core';

const { folder, steps, everySteps, sharded, fault, silence, patience } = JSON.parse(
  process.argv[2],
);
const communicator = await openRanks({ silence, patience });
const { rank } = communicator;
console.log(`rank ${rank} is process ${process.pid}`);
await tf.setBackend('cpu');

function numbers(what, size) {
  const random = resumeRandom(randomState(5, what));
  return Float32Array.from({ length: size }, () => 2 * random.uniform() - 1);
}

const variable = (name, shape) => [
  name,
  tf.tidy(() => tf.variable(tf.tensor(numbers(name, shape[0] * shape[1]), shape))),
];
const variables = new Map([
  variable('trunk', [6, 40]),
  variable('up', [40, 2]),
  variable('down', [40, 3]),
]);
const [trunk, up, down] = variables.values();

function* batches() {
  for (let step = 0; step < steps; step += 1)
    yield { x: tf.tensor2d(numbers(`x ${step}`, 11 * 6), [11, 6]) };
}

async function faultAt(step) {
  if (fault === null || fault.rank !== rank || fault.step !== step) return;
  console.log(`fault ${fault.kind} on rank ${rank}`);
  if (fault.kind === 'throw') throw new Error(`rank ${rank} is out of luck`);
  if (fault.kind === 'exit') process.exit(0);
  if (fault.kind === 'mismatch') {
    communicator.nextCall('a call of its own');
    await communicator.barrier();
  }
}

try {
  const exchange = gradientExchange(communicator);
  const trainer = new MultiObjectiveTrainer({
    objectives: ({ x }) => {
      const features = tf.tanh(tf.matMul(x, trunk));
      return {
        up: tf.mean(tf.square(tf.sub(tf.matMul(features, up), 1))),
        down: tf.mean(tf.square(tf.add(tf.matMul(features, down), 1))),
      };
    },
    variables,
    strategy: pcgrad({ seed: 1 }),
    optimizer: tf.train.adam(0.01),
    exchange,
  });
  const checkpoints = new Checkpoints(folder, { exchange, sharded, config: { steps } });
  const restored = await checkpoints.restore(trainer);
  if (rank === 0) console.log(`begins at step ${restored?.step ?? 0}`);
  let step = restored?.step ?? 0;
  await trainer.fit(shardBatches(batches, communicator), {
    epochs: 1,
    resume: restored?.fit,
    callbacks: [
      {
        onBatchBegin: async () => faultAt(step),
        onBatchEnd: () => {
          step += 1;
          if (rank === 0) console.log(`step ${step}`);
        },
      },
      checkpoints.callback({ everySteps }),
    ],
  });
  if (rank === 0) {
    const hash = createHash('sha256');
    for (const one of variables.values())
      hash.update(new Uint8Array(one.dataSync().slice().buffer));
    console.log(`digest ${hash.digest('hex')}`);
  }
  await communicator.close();
} catch (error) {
  console.error(error);
  communicator.abort(1);
}
