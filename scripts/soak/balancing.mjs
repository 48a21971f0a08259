// Kills `multigrad train` under every balancing method at a random moment, resumes, and compares the weights with those of a
// run that went on undisturbed, byte for byte.
import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { clearInterval, setInterval, setTimeout } from 'node:timers';
import { plugins } from '../../packages/balancing/dist/index.js';
import { randomState, resumeRandom } from '../../packages/core/dist/strategy.js';
import { newFolder } from './scratch.mjs';

const program = join(import.meta.dirname, '../../packages/cli/bin/multigrad.js');
const [samples, batchSize, epochs] = [36, 6, 4];
/** Steps of a run. */
export const steps = (samples / batchSize) * epochs;
/** Milliseconds after a checkpoint within which the kill comes: longer than a step, where nothing else runs. */
const latest = 60;
/** Milliseconds between two looks at the checkpoints. */
const pause = 2;

/** With these, methods that wait for epochs or for chances do what they do within four epochs. */
const options = {
  'data-remixing': 'warmUp=1',
  g2d: 'teacherEpochs=1',
  greedy: 'window=2',
  inforeg: 'threshold=-10',
  mses: 'patience=1,minDelta=10',
  mslr: 'history=1,rates.gray=0.5',
  opm: 'executed=1',
  pmr: 'share=1',
  reconboost: 'stageEpochs=1,jointEpochs=1',
  relearning: 'every=1',
  'sample-valuation': 'warmUp=1',
  umt: 'teacherEpochs=1',
};

/** All methods, by name. */
export const methodNames = plugins.map(({ name }) => name);

/** A few digits, with as many channels as keep features alive in inference. */
const digits = [
  ...['cg-mnist', '--train-size', `${samples}`, '--test-size', '4', '--validation-size', '6'],
  ...['--width', '4'],
];
/** As many made-up samples: MLA needs summation as the fusion, G-Blending losses on validation data that fall early. */
const summed = [join(import.meta.dirname, 'summed-experiment.mjs')];
/** The same with gates between the encoders. */
const exchanged = [join(import.meta.dirname, 'exchanged-experiment.mjs')];
const others = { 'g-blending': summed, greedy: exchanged, mla: summed };
const experimentOf = (method) => others[method] ?? digits;

const settingsOf = (experiment, method, backend) => [
  ...['train', ...experiment, '--strategy', 'sum', '--preset', 'quick', '--backend', backend],
  ...['--balance', method in options ? `${method}:${options[method]}` : method],
  ...['--batch-size', `${batchSize}`, '--epochs', `${epochs}`],
  ...['--observe', '0', '--checkpoint', '1', '--out', 'out'],
];

/** Runs the program in a folder; `begin` gets the process. @returns how it ended and what it said */
async function run(args, folder, begin = () => undefined) {
  const child = spawn(process.execPath, [program, ...args], { cwd: folder });
  let told = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (told += text));
  const end = begin(child);
  const [code, signal] = await new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (...how) => resolve(how));
  });
  end?.();
  return { code, signal, told };
}

/** The checkpoints of the one run in a folder, oldest first. */
function checkpointsOf(folder) {
  try {
    const runs = join(folder, 'out', 'runs');
    const path = join(runs, readdirSync(runs)[0], 'checkpoints');
    const names = readdirSync(path).filter((name) => /^step-\d+-\d+$/.test(name));
    return names
      .sort()
      .map((name) => ({ path: join(path, name), step: Number(name.slice(5, 13)) }));
  } catch (error) {
    if (error.code === 'ENOENT' || error.code === 'ERR_INVALID_ARG_TYPE') return [];
    throw error;
  }
}

const lastWeights = (folder) =>
  readFileSync(join(checkpointsOf(folder).at(-1).path, 'weights.safetensors'));

/** Trains until the checkpoint of a step is there, and then for some milliseconds. @returns the newest step that was kept */
async function trainAndKill(settings, folder, step, delay) {
  const { signal, told } = await run(settings, folder, (child) => {
    const looking = setInterval(() => {
      if ((checkpointsOf(folder).at(-1)?.step ?? 0) < step) return;
      clearInterval(looking);
      setTimeout(() => child.kill('SIGKILL'), delay);
    }, pause);
    return () => clearInterval(looking);
  });
  if (signal !== 'SIGKILL') throw new Error(`It ended by itself. ${told}`);
  return checkpointsOf(folder).at(-1).step;
}

/**
 * Kills and resumes a run of each method.
 *
 * @returns for one after the other the newest step that was kept when its run was killed, or what went wrong
 */
export async function* killEachMethod({ methods, backend, seed }) {
  const root = newFolder('balancing');
  const fresh = (name) => {
    const folder = join(root, name);
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder);
    return folder;
  };
  /** The weights that a run ends with which nothing disturbs. */
  const undisturbed = async (experiment, method) => {
    const folder = fresh('undisturbed');
    const { told } = await run(settingsOf(experiment, method, backend), folder);
    if (checkpointsOf(folder).length === 0) throw new Error(told);
    return lastWeights(folder);
  };
  const killOne = async (method, plain) => {
    const experiment = experimentOf(method);
    const weights = await undisturbed(experiment, method);
    if (weights.equals(plain)) throw new Error('It has no effect.');
    const random = resumeRandom(randomState(seed, 'balancing', method, backend));
    const [at, delay] = [1 + random.integer(steps - 1), random.uniform() * latest];
    const folder = fresh('killed');
    const settings = settingsOf(experiment, method, backend);
    const step = await trainAndKill(settings, folder, at, delay);
    const end = await run(['resume', 'out', '--trust'], folder);
    if (end.code !== 0) throw new Error(`It did not go on after step ${step}. ${end.told}`);
    if (lastWeights(folder).equals(weights)) return step;
    throw new Error(`It ended with other weights after a kill at step ${step}.`);
  };
  try {
    const plain = new Map();
    for (const experiment of new Set(methods.map(experimentOf))) {
      plain.set(experiment, await undisturbed(experiment, 'none'));
    }
    for (const method of methods) {
      try {
        yield { method, step: await killOne(method, plain.get(experimentOf(method))) };
      } catch (error) {
        yield { method, wrong: error.message };
      }
    }
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}
