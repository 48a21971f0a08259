import '@tensorflow/tfjs-layers'; // registers the gradients of TensorFlow.js's operations
import * as tf from '@tensorflow/tfjs-core';
import { useBackend } from '@multigrad/backends';
import { MultiObjectiveTrainer } from '@multigrad/core';
import { mmpareto } from '@multigrad/strategy-mmpareto';
import { drawPoints } from './data.js';
import { makeNetwork } from './network.js';

const send = (answer) => postMessage(answer);
const stop = new AbortController();

addEventListener('message', ({ data }) => {
  if (data.type === 'stop') stop.abort();
  else
    train(data.epochs).catch((error) => {
      send({ type: 'failed', message: error instanceof Error ? error.message : String(error) });
    });
});

async function train(epochs) {
  const { name, reason, wasm } = await useBackend('auto');
  const { threads = 1, threadsReason = '' } = wasm ?? {};
  send({ type: 'backend', name, reason, threads, threadsReason });

  const network = makeNetwork(64);
  const trainer = new MultiObjectiveTrainer({
    objectives: network.losses,
    variables: network.variables,
    strategy: mmpareto({ gamma: 1.5 }),
    optimizer: tf.train.momentum(0.05, 0.9),
  });
  const { history, stopped } = await trainer.fit(drawPoints(512, 4), {
    epochs,
    batchSize: 64,
    shuffle: 1,
    signal: stop.signal,
    callbacks: [
      {
        onEpochEnd: (epoch, { inside_loss, distance_loss }) =>
          send({
            type: 'epoch',
            epoch: epoch + 1,
            losses: { inside: inside_loss, distance: distance_loss },
          }),
      },
    ],
  });
  send({ type: 'done', history, stopped: stopped !== undefined });
}
