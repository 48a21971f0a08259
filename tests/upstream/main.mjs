// tests/upstream/run [cpu|wasm|tensorflow ...] [--only PATTERN] [--table]: TensorFlow.js's own tests of tfjs-core on each
// backend, once as it is and once with our kernels. A test that passes as it is and fails with ours is a regression, and
// fails the run. With --table the list of operations in docs/backends.md is written, which a whole run compares.
import { compare, isOfGradient } from './compare.mjs';
import { keepPage } from './keep-page.mjs';
import { operationsTable } from './operations-table.mjs';
import { preparedCore, testFiles } from './prepare.mjs';
import { runTests } from './run-tests.mjs';

const backends = {
  cpu: [{}],
  wasm: [{ threads: 1 }, { threads: 2 }, { threads: 4 }],
  tensorflow: [{}],
};
/** Fewer tests than that were never run: some did not load. */
const fewest = 4000;

const { names, only, table } = readArguments(process.argv.slice(2));
const core = preparedCore();
const files = testFiles(core).filter((file) => only.test(file));
const runs = names.flatMap((backend) => [
  { backend, ours: false },
  ...backends[backend].map((options) => ({ backend, ours: true, ...options })),
]);
const outcomes = await twoAtATime(runs, (run) => runTests({ core, files }, run));
const comparisons = runs.flatMap((run, index) => {
  if (!run.ours) return [];
  const stock = outcomes[runs.findIndex(({ backend, ours }) => backend === run.backend && !ours)];
  return [{ run, ...compare(stock, outcomes[index]) }];
});

writeRepairs();
writeRegressions();
writeFigures();
const upToDate = !isWhole() || (await keepPage(operationsTable(core, columnsOfTable()), table));
const passed = comparisons.reduce((sum, { kept }) => sum + kept.length, 0);
const regressions = comparisons.reduce((sum, { regressions }) => sum + regressions.length, 0);
const failed = regressions + (upToDate ? 0 : 1);
if (only.source === '(?:)' && comparisons.some(({ tests }) => tests < fewest)) {
  throw new Error(`Expected at least ${fewest} tests on each backend.`);
}
console.log(`\n${passed} passed, ${failed} failed`);
if (failed > 0) process.exitCode = 1;

function readArguments(given) {
  const at = given.indexOf('--only');
  const only = new RegExp(at === -1 ? '' : given[at + 1]);
  const table = given.includes('--table');
  const asked = (at === -1 ? given : given.toSpliced(at, 2)).filter((name) => name !== '--table');
  const unknown = asked.find((name) => !(name in backends));
  if (unknown !== undefined) {
    throw new Error(`There is no backend \`${unknown}\`: ${Object.keys(backends).join(', ')}.`);
  }
  return { names: asked.length > 0 ? asked : Object.keys(backends), only, table };
}

async function twoAtATime(inputs, f) {
  const results = [];
  let next = 0;
  const worker = async () => {
    while (next < inputs.length) {
      const index = next;
      next += 1;
      results[index] = await f(inputs[index]);
    }
  };
  await Promise.all([worker(), worker()]);
  return results;
}

function title({ backend, threads }) {
  if (threads === undefined) return backend;
  return `${backend}, ${threads} ${threads === 1 ? 'thread' : 'threads'}`;
}

function isWhole() {
  return only.source === '(?:)' && names.length === Object.keys(backends).length;
}

/** Outcomes with our kernels, once for each backend. */
function columnsOfTable() {
  return new Map(
    names.map((backend) => [
      backend,
      outcomes[runs.findIndex((run) => run.backend === backend && run.ours)],
    ]),
  );
}

function writeRepairs() {
  for (const { run, repairs } of comparisons) {
    if (repairs.length === 0) continue;
    console.log(`\n${title(run)}: fail as TensorFlow.js is, pass with our kernels:`);
    for (const key of repairs) console.log(`  ${key}`);
  }
}

function writeRegressions() {
  for (const { run, regressions } of comparisons) {
    for (const { key, status, reason } of regressions) {
      console.log(`\nREGRESSION on ${title(run)}: ${key}\n  ${status}: ${reason}`);
    }
  }
}

function writeFigures() {
  console.table(
    Object.fromEntries(
      comparisons.map(({ run, tests, stock, ours, repairs, regressions }) => [
        title(run),
        {
          tests,
          'stock passes': stock.length,
          'ours passes': ours.length,
          repairs: repairs.length,
          regressions: regressions.length,
          'of gradients, stock': stock.filter(isOfGradient).length,
          'of gradients, ours': ours.filter(isOfGradient).length,
        },
      ]),
    ),
  );
}
