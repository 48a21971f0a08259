// What it costs to start: processes that import a package, take a first step or print help, in turn beside an empty one.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { interleave, quantile, ratio } from './interleave.mjs';
import { machine } from './machine.mjs';

const file = (path) => fileURLToPath(new URL(path, import.meta.url));
const program = (text) => ['--input-type=module', '--eval', text];

/** Programs by name, as arguments of Node. */
const programs = {
  'empty Node': program(''),
  'import core': program("await import('@multigrad/core')"),
  'import backends': program("await import('@multigrad/backends')"),
  'multigrad --help': [file('../../packages/cli/bin/multigrad.js'), '--help'],
  'multigrad --version': [file('../../packages/cli/bin/multigrad.js'), '--version'],
  'first step on wasm': [file('./first-step.mjs'), 'wasm'],
};

/** Times each program as often as asked, and prints a table. */
export async function benchStart({ rounds }) {
  const cases = Object.fromEntries(
    Object.entries(programs).map(([name, words]) => [name, async () => run(name, words)]),
  );
  const times = await interleave(cases, { warmup: 1, rounds });
  console.log('| start | ms (quartiles) | of an empty Node |\n| --- | --- | --- |');
  const rows = Object.entries(times).map(([name, own]) => {
    const [low, median, high] = [0.25, 0.5, 0.75].map((q) => quantile(own, q));
    const of = ratio(own, times['empty Node']);
    console.log(
      `| ${name} | ${median.toFixed(0)} (${low.toFixed(0)} … ${high.toFixed(0)}) | ${of.median.toFixed(2)} |`,
    );
    return { runner: 'node', case: name, milliseconds: [low, median, high], ofReference: of };
  });
  return { machine: machine(), results: [{ workload: 'start', rounds, rows }] };
}

function run(name, words) {
  const { status, stderr } = spawnSync(process.execPath, words, {
    cwd: file('..'),
    encoding: 'utf8',
    timeout: 120_000,
  });
  if (status !== 0) throw new Error(`${name} ended with ${status}: ${stderr.trim()}`);
}
