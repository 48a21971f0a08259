// Kills training at random moments, of checkpoint writing too, and compares what the resumed runs end with, byte for
// byte, with what uninterrupted ones do.
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers';
import { randomState, resumeRandom } from '../../packages/core/dist/strategy.js';

const program = join(import.meta.dirname, 'train.mjs');
const stepsPerEpoch = 8;

/** Trains in a folder; `onStep` gets the process after each step. @returns how the process ended */
export async function train(folder, plan, { onStep = () => undefined, shell } = {}) {
  const args = [program, folder, JSON.stringify(plan)];
  const child = shell
    ? spawn('sh', ['-c', `${shell}; exec "$0" "$@"`, process.execPath, ...args])
    : spawn(process.execPath, args);
  const lines = [];
  let complaints = '';
  child.stderr.on('data', (text) => (complaints += text));
  const reading = createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line);
    if (line.startsWith('step ')) onStep(child);
  });
  const closed = new Promise((resolve) => reading.on('close', resolve));
  const [code, signal] = await new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (...how) => resolve(how));
  });
  await closed;
  return { code, signal, lines, complaints };
}

/** Whether a backend is there: native TensorFlow is where it was installed. */
export async function isInstalled(backend) {
  const folder = mkdtempSync(join(tmpdir(), 'multigrad-backend-'));
  try {
    const { code, complaints } = await train(folder, { backend, runs: [], everySteps: 0 });
    if (code !== 0 && !complaints.includes('multigrad native install')) throw new Error(complaints);
    return code === 0;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The runs of the test: every optimizer with strategies that draw lots, that keep numbers, that keep a memory. */
export function allRuns(epochs) {
  return ['sgd', 'momentum', 'adam'].flatMap((optimizer) =>
    ['pcgrad', 'gradvac', 'moco'].map((strategy) => ({
      name: `${optimizer}-${strategy}`,
      optimizer,
      strategy,
      epochs,
    })),
  );
}

/** What each run of a plan ended with. */
export function lastWeights(folder, { runs }) {
  return runs.map(({ name }) => readFileSync(join(folder, name, 'last.safetensors')));
}

/**
 * Trains a plan with `kills` kills spread over its steps, and once without.
 *
 * @returns counts; throws where a run ends with other weights
 */
export async function killAndResume({ backend, kills, epochs, everySteps, seed }) {
  const runs = allRuns(epochs);
  const total = runs.length * epochs * stepsPerEpoch;
  const most = Math.floor(total / kills);
  if (most < 1) throw new Error(`${kills} kills do not fit into ${total} steps.`);
  const random = resumeRandom(randomState(seed, 'kills', backend));
  const folder = mkdtempSync(join(tmpdir(), 'multigrad-kills-'));
  try {
    const plan = { backend, runs, everySteps };
    let writing = 0;
    for (let kill = 0; kill < kills; kill += 1) {
      let left = 1 + random.integer(most);
      const delay = random.uniform() * 12;
      const { signal, complaints } = await train(join(folder, 'killed'), plan, {
        onStep: (child) => {
          left -= 1;
          if (left === 0) setTimeout(() => child.kill('SIGKILL'), delay);
        },
      });
      if (signal !== 'SIGKILL') throw new Error(`Kill ${kill}: it ended by itself. ${complaints}`);
      const parts = readdirSync(join(folder, 'killed'), { recursive: true, encoding: 'utf8' });
      if (parts.some((path) => path.includes('.part-'))) writing += 1;
    }
    const end = await train(join(folder, 'killed'), plan);
    if (end.code !== 0) throw new Error(`The last run failed. ${end.complaints}`);
    const whole = await train(join(folder, 'whole'), { ...plan, everySteps: 0 });
    if (whole.code !== 0) throw new Error(`The whole run failed. ${whole.complaints}`);
    const found = lastWeights(join(folder, 'killed'), plan);
    const different = lastWeights(join(folder, 'whole'), plan).flatMap((weights, index) =>
      weights.equals(found[index]) ? [] : [runs[index].name],
    );
    if (different.length > 0) throw new Error(`Other weights after kills: ${different.join(', ')}`);
    return { backend, kills, writing, steps: total, runs: runs.length };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
