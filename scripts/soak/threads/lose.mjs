// `node lose.mjs SEED FIRST COUNT`: for each case a new wasm backend on 2 to 4 threads, of which some die, stop, are ended
// from outside or never start at a moment that chance decides, while kernels run. A line for each case says what came
// of it; results must have the bits of one thread.
import '@tensorflow/tfjs-layers';
import { setImmediate } from 'node:timers';
import workerThreads from 'node:worker_threads';
import * as tf from '@tensorflow/tfjs-core';
import { useBackend } from '../../../packages/backends/dist/index.js';
import { KernelHeap } from '../../../packages/backends/dist/wasm/kernel-heap.js';
import { patience } from '../../../packages/backends/dist/wasm/threads/thread-team.js';
import { randomState, resumeRandom } from '../../../packages/core/dist/strategy.js';

const [seed, first, count] = process.argv.slice(2).map(Number);
tf.enableProdMode();
// Short, so that a thread that is stopped on purpose costs little. A slow one may be given up for it, which costs nothing
// but speed.
Object.assign(patience, { slice: 5, silence: 150, answer: 2000 });

const { Worker } = workerThreads;
let workers = [];
/** How workers start in the case that runs. */
let starting = 'usual';
workerThreads.Worker = class extends Worker {
  constructor(program, options) {
    if (starting === 'refused') throw new Error('no workers here');
    super(
      starting === 'broken'
        ? 'throw new Error("broken")'
        : starting === 'hung'
          ? 'setInterval(() => {}, 1000)'
          : program,
      options,
    );
    workers.push(this);
  }
};

async function restart(threads) {
  for (const worker of workers) worker.terminate();
  workers = [];
  const factory = tf.findBackendFactory('wasm');
  if (factory !== null) {
    tf.removeBackend('wasm');
    tf.registerBackend('wasm', factory, 2);
  }
  const lost = [];
  const { wasm } = await useBackend('wasm', {
    threads,
    onThreadLost: (reason) => lost.push(reason),
  });
  return { answered: wasm.threads, lost, team: KernelHeap.of(tf.backend()).team };
}

const normal = (shape, number) => tf.randomNormal(shape, 0, 1, 'float32', number);
const bytesOf = (tensors) =>
  Buffer.concat(tensors.map((tensor) => Buffer.from(tensor.dataSync().slice().buffer)));

/** Kernels whose work threads share, in sizes of several pieces; `scale` changes the sizes. */
const jobs = {
  convolution: (scale) => {
    const network = (x, f) => tf.relu(tf.conv2d(x, f, 1, 'same'));
    const inputs = [normal([8 + scale, 14, 14, 3], 1), normal([5, 5, 3, 12], 2)];
    return [network(...inputs), ...tf.grads(network)(inputs)];
  },
  narrow: (scale) => {
    const network = (x, f) => tf.tanh(tf.conv2d(x, f, 2, 'same'));
    const inputs = [normal([8 + scale, 15, 15, 2], 3), normal([3, 3, 2, 3], 4)];
    return [network(...inputs), ...tf.grads(network)(inputs)];
  },
  pooling: (scale) => {
    const x = normal([9 + scale, 12, 12, 6], 5);
    return [tf.grad((image) => tf.maxPool(image, 3, 2, 'same'))(x)];
  },
  product: (scale) => [tf.matMul(normal([70, 200 + scale], 6), normal([70, 33], 7), true, false)],
  adam: (scale) => {
    const size = [40_000 + scale];
    const [variable, mean, square] = [normal(size, 8), normal(size, 9), tf.abs(normal(size, 10))];
    const attributes = { learningRate: 0.1, weightDecay: 0, decoupledDecay: 0, weights: [0.5, 2] };
    const moments = {
      beta1: 0.9,
      beta2: 0.999,
      epsilon: 1e-7,
      correction1: 0.1,
      correction2: 0.01,
    };
    const rows = { row0: normal(size, 11), row1: normal(size, 12) };
    const inputs = { variable, mean, square, ...rows };
    return tf.engine().runKernel('AdamUpdate', inputs, { ...attributes, ...moments });
  },
};
const names = Object.keys(jobs);
const compute = (name, scale) => tf.tidy(() => bytesOf(jobs[name](scale)));

const points = ['before a claim', 'after a claim', 'in a piece', 'after a piece', 'idle'];
const kinds = ['dies', 'stops', 'pauses', 'killed at work', 'killed', 'never starts', 'at fault'];

/** A kernel that reads beyond all memory: an error of ours, and nothing else is lost. */
function fault() {
  return tf.tidy(() => {
    const x = normal([12, 14, 14, 3], 1);
    const filter = normal([5, 5, 3, 12], 2);
    const record = tf.backend().dataIdMap.get(x.dataId);
    const address = record.memoryOffset;
    record.memoryOffset = -4096;
    try {
      tf.conv2d(x, filter, 1, 'same');
      return 'no error';
    } catch (error) {
      return error.code ?? String(error);
    } finally {
      record.memoryOffset = address;
    }
  });
}

async function runCase(number) {
  const random = resumeRandom(randomState(seed, `case ${number}`));
  const pick = (list) => list[random.integer(list.length)];
  const kind = kinds[number % kinds.length];
  const threads = 2 + random.integer(3);
  const scale = random.integer(4);
  const chosen = [pick(names), pick(names), pick(names)];
  starting = 'usual';
  await restart(1);
  const right = chosen.map((name) => compute(name, scale));
  const tensors = tf.memory().numTensors;
  starting = kind === 'never starts' ? pick(['refused', 'broken', 'hung']) : 'usual';
  if (starting === 'hung') patience.answer = 100;
  const { lost, team } = await restart(threads);
  patience.answer = 2000;
  const victims = Array.from({ length: threads - 1 }, (_, index) => index + 1).filter(
    (victim) => victim === 1 || random.uniform() < 0.5,
  );
  const killed = new Set();
  const wait = team.wait.bind(team);
  team.wait = (done) => {
    for (const victim of victims) {
      if (!team.sleeps(victim)) continue;
      if (kind === 'pauses' && random.uniform() < 0.5) team.wake(victim);
      if (kind === 'killed at work' && !killed.has(victim)) {
        killed.add(victim);
        workers[victim - 1].terminate();
      }
    }
    wait(done);
  };
  const point = kind === 'pauses' ? pick(points.slice(0, 4)) : pick(points);
  for (const victim of victims) {
    const passes = random.integer(4);
    if (kind === 'dies') team.order(victim, 'trap', point, passes);
    if (['stops', 'pauses', 'killed at work'].includes(kind))
      team.order(victim, 'hold', point, passes);
    if (kind === 'killed') workers[victim - 1].terminate();
  }
  let outcome = 'same bits';
  if (kind === 'at fault') outcome = fault();
  const later = [];
  for (let again = 0; again < 3; again += 1) {
    for (const [index, name] of chosen.entries()) {
      if (!compute(name, scale).equals(right[index])) return { kind, outcome: `${name} is wrong` };
    }
    // They get the memory that late threads write to, if it was freed too early.
    const fill = tf.fill([4000 + 700 * again], again);
    later.push(fill);
    if (random.uniform() < 0.7) for (const victim of victims) team.wake(victim);
    if (random.uniform() < 0.3) await new Promise((resolve) => setImmediate(resolve));
  }
  for (const victim of victims) team.wake(victim);
  await new Promise((resolve) => setImmediate(resolve));
  if (later.some((fill, again) => fill.dataSync().some((value) => value !== again)))
    return { kind, outcome: 'memory of others was written to' };
  tf.dispose(later);
  if (tf.memory().numTensors !== tensors) return { kind, outcome: 'tensors are left' };
  return { kind, outcome, threads, lost: lost.length };
}

for (let number = first; number < first + count; number += 1)
  console.log(JSON.stringify({ case: number, ...(await runCase(number)) }));
process.exit(0);
