// `multigrad` that meets an event in a phase: node signal-worker.mjs PHASE EVENT ARGUMENTS. It watches which files
// the program opens and which kernels it runs, and lets the event happen before the operation with which the phase begins.
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import process from 'node:process';
import tf from '@tensorflow/tfjs-core';

const [phase, event] = process.argv.splice(2, 2);
const trainingSamples = 4;
let checkpoints = 0;
let done = false;

/** Which phase begins with an operation; null where none does. */
function phaseOf(kind, subject, samples) {
  // A forward pass: backward passes that follow a plan run their kernels without the engine.
  const isTraining = kind === 'kernel' && /Conv2D$/.test(subject) && samples === trainingSamples;
  if (kind === 'open' && /config\.json/.test(subject)) return 'start-up';
  if (isTraining && checkpoints === 0) return 'first step';
  if (isTraining && checkpoints === 5) return 'mid-epoch';
  if (isTraining && checkpoints === 7) return 'last step';
  if (kind === 'kernel' && checkpoints === 4 && /Conv2D$/.test(subject)) {
    return isTraining ? null : 'evaluation';
  }
  if (checkpoints === 5) {
    if (kind === 'open' && /\.part-step-.*weights/.test(subject)) return 'checkpoint';
    if (kind === 'write' && /steps\.jsonl/.test(subject)) return 'record';
  }
  return kind === 'open' && /report\.html/.test(subject) ? 'report' : null;
}

function happen() {
  done = true;
  fs.writeFileSync('met', '');
  if (event.startsWith('SIG')) {
    for (const name of event.split(' then ')) process.kill(process.pid, name);
    return;
  }
  if (event === 'full disk') {
    // A newly opened file gets the lowest free number: 1, that of the output.
    fs.closeSync(1);
    if (fs.openSync('/dev/full', 'w') !== 1) throw new Error('The output is another file.');
    return;
  }
  // The reader closes the output and then makes the file `closed`. Kernels are synchronous, so this waits here, 30 s at most.
  fs.writeSync(3, 'close\n');
  const moment = new Int32Array(new SharedArrayBuffer(4));
  for (let wait = 0; !fs.existsSync('closed'); wait += 1) {
    if (wait === 3000) throw new Error('The reader should have closed the output. It did not.');
    Atomics.wait(moment, 0, 0, 10);
  }
}

function meet(...operation) {
  if (!done && phaseOf(...operation) === phase) happen();
}

const { open, rename } = fs.promises;
fs.promises.open = async (path, ...rest) => {
  meet('open', String(path));
  const file = await open(path, ...rest);
  const write = file.write.bind(file);
  file.write = (...args) => {
    meet('write', String(path));
    return write(...args);
  };
  return file;
};
fs.promises.rename = async (from, to) => {
  await rename(from, to);
  if (/checkpoints\/step-/.test(to)) checkpoints += 1;
};
syncBuiltinESMExports();
const engine = tf.engine();
const runKernel = engine.runKernel.bind(engine);
engine.runKernel = (name, inputs, attributes) => {
  meet('kernel', name, Object.values(inputs)[0]?.shape?.[0]);
  return runKernel(name, inputs, attributes);
};

if (phase === 'loading') happen();
await import('../../packages/cli/dist/main.js');
