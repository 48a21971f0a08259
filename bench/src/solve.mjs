// The time to find weights from a given Gramian, for every strategy that needs nothing else.
import { gramianOf, groupGradients, randomState, resumeRandom } from '@multigrad/core/strategy';
import { plugin as alignedMtl } from '@multigrad/strategy-aligned-mtl';
import { plugin as cagrad } from '@multigrad/strategy-cagrad';
import { plugin as conflictFree } from '@multigrad/strategy-conflict-free';
import { plugin as dualproj } from '@multigrad/strategy-dualproj';
import { plugin as edm } from '@multigrad/strategy-edm';
import { plugin as fairgrad } from '@multigrad/strategy-fairgrad';
import { plugin as gradVac } from '@multigrad/strategy-gradvac';
import { plugin as imtlG } from '@multigrad/strategy-imtl-g';
import { plugin as krum } from '@multigrad/strategy-krum';
import { plugin as mgda } from '@multigrad/strategy-mgda';
import { plugin as mmpareto } from '@multigrad/strategy-mmpareto';
import { plugin as nashMtl } from '@multigrad/strategy-nash-mtl';
import { plugin as pcgrad } from '@multigrad/strategy-pcgrad';
import { plugin as upgrad } from '@multigrad/strategy-upgrad';
import { quantile } from './interleave.mjs';
import { skipped, startPeer } from './processes/python.mjs';

const plugins = [
  mmpareto,
  pcgrad,
  mgda,
  imtlG,
  alignedMtl,
  conflictFree,
  edm,
  gradVac,
  krum,
  upgrad,
  dualproj,
  cagrad,
  nashMtl,
  fairgrad,
];
const matrices = 8;
// Answers that depend on random orders, or on a solver that stops early, are not compared.
const incomparable = {
  pcgrad: 'random order',
  gradvac: 'random order',
  krum: 'ours sums squared distances, as the paper does',
};

/** Prints microseconds per solve, and ratios to TorchJD where Python has it. */
export async function benchSolve({ python, sizes, rounds, seconds }) {
  const peer = await startPeer(python, 'torchjd_solve.py');
  console.log(
    peer.missing === undefined
      ? `Weights from a given Gramian, beside TorchJD (torch ${peer.greeting.torch}, one thread), ${rounds} rounds of ${seconds} s in turn`
      : `Weights from a given Gramian. ${skipped('TorchJD', python, peer.missing)}`,
  );
  for (const size of sizes) {
    const gramians = Array.from({ length: matrices }, (_, index) => gramianFor(size, index));
    for (const plugin of plugins) {
      const strategy = plugin.create();
      const own = [];
      const theirs = [];
      let difference = '';
      try {
        for (let round = -1; round < rounds; round += 1) {
          const { microseconds, weights } = solve(strategy, gramians, seconds);
          if (round >= 0) own.push(microseconds);
          if (peer.missing !== undefined || !peer.greeting.cases.includes(plugin.name)) continue;
          const answer = await peer.ask({
            case: plugin.name,
            size,
            gramians: gramians.map(({ values }) => [...values]),
            seconds,
          });
          if (answer.error !== undefined) {
            difference = `TorchJD: ${answer.error}`;
            break;
          }
          if (round >= 0) theirs.push(answer.microseconds);
          difference = incomparable[plugin.name] ?? apart(weights, answer.weights, gramians);
        }
      } catch (error) {
        console.log(`  K ${String(size).padEnd(4)}${plugin.name.padEnd(14)} ${error.message}`);
        continue;
      }
      console.log(row(size, plugin.name, own, theirs, difference));
    }
  }
  if (peer.missing === undefined) {
    console.log(
      "Ratios: TorchJD's time over ours. Updates differ where its solvers stop early (MGDA, CAGrad, Nash-MTL) or add 1e-4 to the Gramian (UPGrad, DualProj).",
    );
  }
  peer.close?.();
}

function row(size, name, own, theirs, difference) {
  const time = (values) => `${quantile(values, 0.5).toPrecision(3).padStart(9)} µs`;
  const parts = [`  K ${String(size).padEnd(4)}${name.padEnd(14)}${time(own)}`];
  if (theirs.length > 0) {
    const ratios = theirs.map((value, round) => value / own[round]);
    const [low, median, high] = [0.25, 0.5, 0.75].map((q) => quantile(ratios, q).toPrecision(3));
    parts.push(`TorchJD ${time(theirs)}`, `x ${median} (${low} … ${high})`);
  }
  if (difference !== '') parts.push(difference);
  return parts.join('   ');
}

/** Time per solve over all matrices, again and again for as long as asked. */
function solve(strategy, gramians, seconds) {
  const { size } = gramians[0];
  const objectives = Array.from({ length: size }, (_, k) => `objective ${k}`);
  const state = strategy.init({ key: 'bench', objectives, tensors: ['tensor'] });
  const once = (gramian) =>
    strategy.integrate(groupGradients({ objectives, gramian }), state).weights;
  const weights = gramians.map(once);
  let calls = 0;
  const start = performance.now();
  let end = start;
  while (end - start < 1000 * seconds) {
    for (const gramian of gramians) once(gramian);
    calls += gramians.length;
    end = performance.now();
  }
  return { microseconds: (1000 * (end - start)) / calls, weights };
}

/** K gradients of K + 8 numbers with a common part: some pairs conflict, others agree. */
function gramianFor(size, index) {
  const random = resumeRandom(randomState(1, 'bench', size, index));
  const columns = size + 8;
  const common = Array.from({ length: columns }, () => random.normal());
  return gramianOf(
    Array.from({ length: size }, () => {
      const lean = random.uniform() - 0.3;
      const length = 10 ** (random.uniform() - 0.5);
      return common.map((value) => length * (lean * value + random.normal()));
    }),
  );
}

/** How far the two updates lie apart, relative to the longer one; the largest over the matrices. */
function apart(own, theirs, gramians) {
  const far = gramians.map(({ size, values }, index) => {
    const form = (x) => {
      let sum = 0;
      for (let i = 0; i < size; i += 1)
        for (let j = 0; j < size; j += 1) sum += x[i] * values[i * size + j] * x[j];
      return Math.sqrt(Math.max(0, sum));
    };
    const gap = form(Array.from(own[index], (weight, k) => weight - theirs[index][k]));
    return gap / Math.max(form(own[index]), form(theirs[index]), Number.MIN_VALUE);
  });
  return `updates ${Math.max(...far).toExponential(1)} apart`;
}
