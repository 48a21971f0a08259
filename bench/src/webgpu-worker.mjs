// What one MMPareto step costs on WebGPU, in numbers that do not depend on the device: `node webgpu-worker.mjs WORKLOAD BATCH
// WIDTH STEPS`. It prints one line of JSON.
import '@tensorflow/tfjs-layers';
import { useBackend } from '@multigrad/backends';
import { fusedMomentum, MultiObjectiveTrainer } from '@multigrad/core';
import { mmpareto } from '@multigrad/strategy-mmpareto';
import * as tf from '@tensorflow/tfjs-core';
import { workloads } from './workloads/index.mjs';

const [name, batchSize, width, steps] = process.argv.slice(2);
const report = await useBackend('webgpu');
const backend = tf.backend();
const { network, inputs, targets } = workloads[name].make(Number(batchSize), Number(width));
const trainer = new MultiObjectiveTrainer({
  objectives: (batch, mode) => network.losses(batch, targets, mode),
  variables: network.trainableVariables,
  parts: network.parts,
  strategy: mmpareto(),
  optimizer: fusedMomentum(network.trainableVariables, { learningRate: 1e-3, momentum: 0.9 }),
});

const counts = { dispatches: 0, buffers: 0, bytesRead: 0, bytesWritten: 0, uploads: 0, submits: 0 };
const programs = new Map();
let kernel = '';

/** Runs `before` with the arguments of every call of a method. */
function watch(object, method, before) {
  const original = object[method];
  object[method] = function (...given) {
    before(...given);
    return original.apply(this, given);
  };
}

const bytesOf = ({ shape, dtype }) => tf.util.sizeFromShape(shape) * tf.util.bytesPerElement(dtype);
watch(backend, 'runWebGPUProgram', (program, given, dtype, uniforms, output) => {
  const shape = output?.shape ?? program.outputShape;
  const read = given.reduce((sum, tensor) => sum + bytesOf(tensor), 0);
  const written = bytesOf({ shape, dtype: output?.dtype ?? dtype });
  counts.dispatches += 1;
  counts.bytesRead += read;
  counts.bytesWritten += written;
  const key = `${kernel} (${program.shaderKey.split(/[_;,]/)[0]})`;
  const found = programs.get(key) ?? { program: key, dispatches: 0, bytesRead: 0, bytesWritten: 0 };
  found.dispatches += 1;
  found.bytesRead += read;
  found.bytesWritten += written;
  programs.set(key, found);
});
watch(backend.device, 'createBuffer', () => (counts.buffers += 1));
watch(backend.queue, 'submit', () => (counts.submits += 1));
watch(backend.queue, 'writeBuffer', (buffer, offset, data) => (counts.uploads += data.byteLength));
watch(tf.engine(), 'runKernel', (called) => (kernel = called));

// The device computes while a read waits for it; all other time of a step is that of JavaScript.
let [reads, since, waited] = [0, 0, 0];
const read = backend.read;
backend.read = async function (...given) {
  reads += 1;
  if (reads === 1) since = performance.now();
  try {
    return await read.apply(this, given);
  } finally {
    reads -= 1;
    if (reads === 0) waited += performance.now() - since;
  }
};

// The first steps compile shaders and fill the pool of buffers.
for (let step = 0; step < 2; step += 1) await trainer.trainOnBatch(inputs);
const busy = [];
for (let step = 0; step < Number(steps); step += 1) {
  for (const key of Object.keys(counts)) counts[key] = 0;
  programs.clear();
  waited = 0;
  const start = performance.now();
  await trainer.trainOnBatch(inputs);
  busy.push(performance.now() - start - waited);
}
busy.sort((a, b) => a - b);
const most = [...programs.values()].sort((a, b) => b.dispatches - a.dispatches);
const result = {
  device: report.gpu?.device,
  ...counts,
  busy: busy[busy.length >> 1],
  programs: most,
};
console.log(JSON.stringify(result));
backend.device.destroy();
process.exit(0);
