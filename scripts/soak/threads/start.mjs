// One start: `node start.mjs NETWORK THREADS STEPS` trains and prints what became of the threads, and of the weights.
import '@tensorflow/tfjs-layers';
import { createHash } from 'node:crypto';
import { useBackend } from '../../../packages/backends/dist/index.js';
import { trainSteps } from './networks.mjs';

const [network, threads, steps] = process.argv.slice(2);
const lost = [];
const { wasm } = await useBackend('wasm', {
  threads: Number(threads),
  onThreadLost: (reason) => lost.push(reason),
});
const weights = await trainSteps(network, Number(steps));
const sha256 = createHash('sha256').update(weights).digest('hex').slice(0, 16);
console.log(JSON.stringify({ answered: wasm.threads, lost, weights: sha256 }));
