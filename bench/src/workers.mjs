import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { machine } from './machine.mjs';

// How `multigrad study` uses two cores best: two processes of one thread, or one process of two threads. Both make the same
// runs of a small protocol, in turn: npm run bench:workers [-- rounds=3 backend=tensorflow experiment=cg-mnist].

const given = Object.fromEntries(process.argv.slice(2).map((word) => word.split('=')));
const { rounds = '3', backend = 'auto', experiment = 'cg-mnist' } = given;
const program = join(import.meta.dirname, '../../packages/cli/bin/multigrad.js');
const ways = [
  { title: 'two processes of one thread', flags: ['--workers', '2', '--threads', '1'] },
  { title: 'one process of two threads', flags: ['--workers', '1', '--threads', '2'] },
];
const protocol = {
  ...{
    format: 1,
    name: 'workers',
    records: 'records',
    seeds: 4,
    rates: [0.01],
    references: ['sum'],
  },
  rows: { sum: { strategy: 'sum' }, mmpareto: { strategy: 'mmpareto' } },
  settings: {
    one: {
      experiment,
      options: {
        epochs: 3,
        ...(experiment === 'cg-mnist'
          ? { 'train-size': 2000, 'validation-size': 200, 'test-size': 500 }
          : {}),
      },
    },
  },
};

/** Makes all runs in a new folder. @returns runs per hour */
function measure({ title, flags }) {
  const folder = mkdtempSync(join(tmpdir(), 'multigrad-workers-'));
  try {
    writeFileSync(join(folder, 'study.json'), JSON.stringify(protocol));
    const began = performance.now();
    const { status, stderr } = spawnSync(
      process.execPath,
      [program, 'study', 'study.json', '--backend', backend, ...flags],
      // Eight small runs take minutes; an hour is a hang.
      { cwd: folder, encoding: 'utf8', timeout: 3_600_000, maxBuffer: 2 ** 26 },
    );
    const hours = (performance.now() - began) / 3_600_000;
    if (status !== 0) throw new Error(`${title}: the study ended with code ${status}\n${stderr}`);
    return 8 / hours;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

console.log(JSON.stringify(machine()));
const found = new Map(ways.map(({ title }) => [title, []]));
for (let round = 0; round < Number(rounds); round += 1) {
  for (const way of round % 2 === 0 ? ways : [...ways].reverse()) {
    const speed = measure(way);
    found.get(way.title).push(speed);
    console.log(`round ${round + 1}, ${way.title}: ${speed.toFixed(0)} runs per hour`);
  }
}
for (const [title, speeds] of found) {
  const sorted = [...speeds].sort((a, b) => a - b);
  console.log(
    `${title}: median ${sorted[sorted.length >> 1].toFixed(0)} runs per hour, ` +
      `from ${sorted[0].toFixed(0)} to ${sorted.at(-1).toFixed(0)}`,
  );
}
