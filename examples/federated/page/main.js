import { useBackend } from '@multigrad/backends';
import * as tf from '@tensorflow/tfjs-core';
import { takePart } from './client.js';
import { drawPoints } from './data.js';
import { makeNetwork } from './network.js';

// `/?client=0&clients=3`: which part of the data is this page's.
const asked = new URLSearchParams(location.search);
const client = Number(asked.get('client') ?? 0);
const clients = Number(asked.get('clients') ?? 3);
const status = document.getElementById('status');
const epochs = 4;

async function main() {
  await useBackend('cpu'); // networks this small are fastest there
  // Clients have different numbers of samples, too.
  const samples = 128 * (1 + (client % 3));
  const data = drawPoints({ client, clients, count: samples, seed: 10 + client });
  const heldOut = drawPoints({ count: 2000, seed: 500 });
  const network = makeNetwork();
  const socket = new WebSocket(`ws://${location.host}/`);
  const { rounds } = await takePart(socket, {
    ...{ network, data, samples, epochs },
    onRound: (round) => {
      status.textContent = `Round ${round}: training on ${samples} samples`;
    },
  });
  const averaged = network.measure(heldOut);
  // Beside it: the same training on this client's data alone.
  status.textContent = 'Training alone, for comparison';
  const own = makeNetwork();
  for (let round = 1; round <= rounds; round += 1) await own.train(data, { epochs, seed: round });
  const alone = own.measure(heldOut);
  tf.dispose([data, heldOut]);
  network.dispose();
  own.dispose();
  const text = ({ inside, distance }) =>
    `inside ${inside.toFixed(3)}, distance ${distance.toFixed(4)}`;
  status.textContent = `Done after ${rounds} rounds. Averaged: ${text(averaged)}. Alone: ${text(alone)}.`;
}

main().catch((error) => {
  status.textContent = `Failed: ${error.message}`;
});
