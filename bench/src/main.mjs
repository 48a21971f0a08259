// `npm run bench -- [step] [--backend wasm,tensorflow] [--workload cg-mnist,mlp] [--width 32] [--rounds 15] [--out NAME]
//   [--against FOLDER] [--cases 'sum,mmpareto,mmpareto by hand'] [--threads 1] [--compile] [--record]`
// `npm run bench -- agree [--backend wasm] [--workload mlp,lstm,lstm-layers,transformer]`
// `npm run bench -- history [--worse 1.15]`
// `npm run bench -- callbacks [--backend wasm] [--width 32] [--rounds 60]`
// `npm run bench -- overhead [--backend wasm] [--width 16] [--steps 50] [--rounds 15]`
// `npm run bench -- ranks [--workload resnet18,perceptron] [--rounds 3] [--steps 5] [--batch 8] [--numbers 4194304] [--record]`
// `npm run bench -- samples [--backend wasm,tensorflow] [--workload mlp,lenet] [--batch 256] [--rounds 5] [--python python3]`
// `npm run bench -- webgpu [--workload cg-mnist] [--batch 8] [--width 8] [--steps 3]`
// `npm run bench -- solve [--python python3] [--sizes 2,3,8,32] [--rounds 5] [--seconds 0.1]`
import { mkdir, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { agreeing, expectAgreement } from './agreement.mjs';
import { benchCallbacks } from './callbacks.mjs';
import { defaultPython } from './processes/python.mjs';
import { benchOverhead } from './overhead.mjs';
import { benchRanks, rankNetworks } from './ranks/ranks.mjs';
import { benchSamples } from './samples.mjs';
import { printHistory, recordRun } from './history/records.mjs';
import { benchSolve } from './solve.mjs';
import { benchStart } from './start.mjs';
import { stepTable } from './step-table.mjs';
import { benchSteps } from './steps.mjs';
import { benchWebGpu } from './webgpu.mjs';
import { workloads } from './workloads/index.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    backend: { type: 'string', default: 'wasm' },
    workload: { type: 'string', default: 'cg-mnist' },
    width: { type: 'string', default: '32' },
    batch: { type: 'string' },
    rounds: { type: 'string' },
    warmup: { type: 'string', default: '3' },
    python: { type: 'string', default: defaultPython },
    sizes: { type: 'string', default: '2,3,8,32' },
    seconds: { type: 'string', default: '0.1' },
    steps: { type: 'string' },
    numbers: { type: 'string', default: String(2 ** 22) },
    out: { type: 'string' },
    against: { type: 'string' },
    cases: { type: 'string' },
    threads: { type: 'string' },
    compile: { type: 'boolean', default: false },
    record: { type: 'boolean', default: false },
    worse: { type: 'string', default: '1.15' },
  },
});

function positive(name, text) {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new Error(`--${name} should be an integer >= 1. Found ${text}.`);
}

const commands = 'step agree callbacks history overhead ranks samples solve start webgpu'.split(
  ' ',
);
const [what = 'step', ...rest] = positionals;
if (rest.length > 0 || !commands.includes(what)) {
  throw new Error(`Expected one of ${commands.join(', ')}. Found ${positionals.join(' ')}.`);
}
if (what === 'step') {
  const names = values.workload.split(',');
  const unknown = names.find((name) => !Object.hasOwn(workloads, name));
  if (unknown !== undefined) {
    throw new Error(
      `--workload should list some of ${Object.keys(workloads).join(', ')}. Found ${unknown}.`,
    );
  }
  const measured = await benchSteps({
    backends: values.backend.split(','),
    names,
    width: positive('width', values.width),
    batch: values.batch === undefined ? undefined : positive('batch', values.batch),
    rounds: positive('rounds', values.rounds ?? '15'),
    warmup: positive('warmup', values.warmup),
    python: values.python,
    cases: values.cases?.split(','),
    threads: values.threads === undefined ? undefined : positive('threads', values.threads),
    compile: values.compile,
    ...(values.against === undefined ? {} : { against: resolve(values.against) }),
  });
  if (values.out !== undefined) await save(values.out, measured);
  if (values.record) console.log(`Recorded in ${await recordRun(measured)}`);
} else if (what === 'agree') {
  const names = values.workload === 'cg-mnist' ? agreeing : values.workload.split(',');
  await expectAgreement({ backends: values.backend.split(','), names, python: values.python });
} else if (what === 'history') {
  const worse = Number(values.worse);
  if (!(worse > 1)) throw new Error(`--worse should be > 1. Found ${values.worse}.`);
  if (!(await printHistory(worse))) process.exitCode = 1;
} else if (what === 'start') {
  const measured = await benchStart({ rounds: positive('rounds', values.rounds ?? '9') });
  if (values.record) console.log(`Recorded in ${await recordRun(measured)}`);
} else if (what === 'webgpu') {
  await benchWebGpu({
    workload: values.workload,
    // Counts depend little on sizes, and a processor that plays a graphics device is slow.
    batch: positive('batch', values.batch ?? '8'),
    width: positive('width', values.width),
    steps: positive('steps', values.steps),
  });
} else if (what === 'callbacks') {
  await benchCallbacks({
    backend: values.backend,
    width: positive('width', values.width),
    rounds: positive('rounds', values.rounds ?? '60'),
  });
} else if (what === 'overhead') {
  await benchOverhead({
    backend: values.backend,
    width: positive('width', values.width),
    steps: positive('steps', values.steps ?? '50'),
    rounds: positive('rounds', values.rounds ?? '15'),
    warmup: positive('warmup', values.warmup),
  });
} else if (what === 'ranks') {
  const names = values.workload === 'cg-mnist' ? rankNetworks : values.workload.split(',');
  const unknown = names.find((name) => !rankNetworks.includes(name));
  if (unknown !== undefined) {
    throw new Error(`--workload should list some of ${rankNetworks.join(', ')}. Found ${unknown}.`);
  }
  const record = benchRanks({
    names,
    rounds: positive('rounds', values.rounds ?? '3'),
    steps: positive('steps', values.steps ?? '5'),
    numbers: positive('numbers', values.numbers),
    ...(values.batch === undefined ? {} : { batch: positive('batch', values.batch) }),
  });
  if (values.record) {
    const file = fileURLToPath(new URL('../results/ranks.json', import.meta.url));
    await writeFile(file, `${JSON.stringify(record, null, 2)}\n`);
  }
} else if (what === 'samples') {
  const names = values.workload === 'cg-mnist' ? ['mlp', 'lenet'] : values.workload.split(',');
  const unknown = names.find((name) => !['mlp', 'lenet'].includes(name));
  if (unknown !== undefined) {
    throw new Error(`--workload should list some of mlp, lenet. Found ${unknown}.`);
  }
  await benchSamples({
    backends: values.backend.split(','),
    names,
    batch: positive('batch', values.batch ?? '256'),
    rounds: positive('rounds', values.rounds ?? '5'),
    warmup: 1,
    python: values.python,
  });
} else {
  const seconds = Number(values.seconds);
  if (!(seconds > 0)) throw new Error(`--seconds should be > 0. Found ${values.seconds}.`);
  await benchSolve({
    python: values.python,
    sizes: values.sizes.split(',').map((size) => positive('sizes', size)),
    rounds: positive('rounds', values.rounds ?? '5'),
    seconds,
  });
}

/** Writes `results/NAME.json`, all figures, and `results/NAME.md`, the tables. */
async function save(name, measured) {
  const folder = fileURLToPath(new URL('../results/', import.meta.url));
  await mkdir(folder, { recursive: true });
  const { processor, cores, memoryGigabytes, node } = measured.machine;
  const head = `Measured on ${processor}, ${cores} cores, ${memoryGigabytes} GiB, Node ${node}. Medians; ratios round by round with their quartiles.\n`;
  await writeFile(`${folder}${name}.json`, `${JSON.stringify(measured, null, 2)}\n`);
  await writeFile(`${folder}${name}.md`, [head, ...measured.results.map(stepTable)].join('\n'));
}
