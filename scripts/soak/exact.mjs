// Solvers against exact arithmetic: entangled rows with a Gramian that rounds, networks with opposite objectives in
// float32, and the time that strategies take for 512 objectives.
import { runnerImport } from 'vite';
import * as tf from '@tensorflow/tfjs-core';
import { builtinPlugins } from '../../packages/cli/dist/strategies/builtin.js';
import { integrateMatrix, randomState, resumeRandom } from '../../packages/core/dist/strategy.js';
import { openBackend } from './small-run.mjs';

/** The oracle is TypeScript beside the tests. */
async function support(path) {
  const { module } = await runnerImport(`tests/support/src/${path}`, {
    ...{ configFile: false, logLevel: 'error' },
    root: new URL('../..', import.meta.url).pathname,
  });
  return module;
}

/** Counts of answers and the largest figures among them. */
function tally() {
  return { answers: 0, zero: 0, notFinite: 0, longer: 0, error: 0, conflict: 0, rounding: 0 };
}

function count(sums, answer, verdict, rounding = 0) {
  sums.answers += 1;
  if (!answer.weights.every(Number.isFinite)) {
    sums.notFinite += 1;
    return;
  }
  if (answer.length === 0) sums.zero += 1;
  if (verdict.longer) sums.longer += 1;
  sums.error = Math.max(sums.error, verdict.error);
  sums.conflict = Math.max(sums.conflict, verdict.conflict);
  sums.rounding = Math.max(sums.rounding, rounding);
}

/**
 * Matrices of K = 2 … 12 entangled rows, whose Gramian is known to `noise`.
 *
 * @returns for each strategy its counts
 */
export async function entangled({ count: matrices, seed, noise }) {
  const { judgedStrategies } = await support('exact/judged-strategies.ts');
  const { answerOf, noisyGramian, trialOf } = await support('exact/trials.ts');
  const { entangledRows } = await support('entangled-rows.ts');
  const sums = new Map(judgedStrategies.map(({ name }) => [name, tally()]));
  for (let index = 0; index < matrices; index += 1) {
    const own = seed + index;
    const rows = entangledRows(own, 2 + (index % 11));
    const trial = trialOf(rows, noisyGramian(rows, noise, own));
    for (const { name, strategy, judge } of judgedStrategies) {
      const answer = answerOf(strategy, trial);
      count(sums.get(name), answer, judge(trial, answer));
    }
  }
  return sums;
}

/**
 * Networks with opposite objectives, by the engine on a backend.
 *
 * @returns for each strategy its counts
 */
export async function opposed({ networks, seed, backend }) {
  const { judgedStrategies } = await support('exact/judged-strategies.ts');
  const { engineAnswer, gradientsOf, opposedNetwork } = await support('exact/engine-trials.ts');
  await openBackend(backend);
  const sums = new Map(judgedStrategies.map(({ name }) => [name, tally()]));
  const before = tf.memory().numTensors;
  for (let index = 0; index < networks; index += 1) {
    const network = opposedNetwork(seed + index);
    const rows = gradientsOf(network);
    for (const { name, strategy, judge } of judgedStrategies) {
      const { trial, answer, rounding } = await engineAnswer(network, rows, strategy);
      count(sums.get(name), answer, judge(trial, answer), rounding);
    }
    network.dispose();
  }
  return { sums, left: tf.memory().numTensors - before };
}

/**
 * K gradients: with a common part, so that some pairs conflict; half of them the opposite of the others; or so many in so
 * few dimensions that half of all such have no common descent direction, the others hardly one.
 */
const kinds = {
  leaning: (matrix) => matrix,
  opposite: (matrix) => {
    const half = matrix.slice(0, matrix.length / 2);
    return [...half, ...half.map((row) => row.map((value) => -value))];
  },
  critical: (matrix, random) =>
    matrix.map((row) => row.slice(0, matrix.length / 2).map(() => random.normal())),
};

/**
 * Seconds of the processor for one step of every strategy with many objectives, from the gradients to the update.
 *
 * @returns what and seconds of each, slowest first
 */
export function many({ objectives, seed }) {
  const random = resumeRandom(randomState(seed, 'many objectives'));
  const columns = objectives + 8;
  const common = Array.from({ length: columns }, () => random.normal());
  const matrix = () =>
    Array.from({ length: objectives }, () => {
      const lean = random.uniform() - 0.3;
      const length = 10 ** (random.uniform() - 0.5);
      return common.map((value) => length * (lean * value + random.normal()));
    });
  const losses = common.slice(0, objectives).map(() => 0.1 + random.uniform());
  const drawn = [matrix(), matrix(), matrix()];
  const times = Object.entries(kinds).flatMap(([kind, of]) => {
    const matrices = drawn.map((rows) => of(rows, random));
    return builtinPlugins.map((plugin) => {
      const strategy = plugin.create();
      const [jacobian, ...further] = matrices;
      const batches = further.slice(0, (strategy.needs.batches ?? 1) - 1);
      const began = process.cpuUsage();
      integrateMatrix(strategy, jacobian, { losses, batches });
      const { user, system } = process.cpuUsage(began);
      return { what: `${plugin.name}, ${objectives} ${kind}`, seconds: (user + system) / 1e6 };
    });
  });
  return times.sort((a, b) => b.seconds - a.seconds);
}
