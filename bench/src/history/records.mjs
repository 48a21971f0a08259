// A small file of ratios for each recorded run, in bench/history, and what they say in the order of time.
import { execFileSync } from 'node:child_process';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compareRecords, ratiosOf } from './compare.mjs';

const folder = fileURLToPath(new URL('../../history/', import.meta.url));

/** Writes the ratios of a run, with commit, time and kind of machine; returns the file's path. */
export async function recordRun(measured, now = new Date()) {
  const git = (...words) => execFileSync('git', words, { cwd: folder, encoding: 'utf8' }).trim();
  await mkdir(folder, { recursive: true });
  const { processor, cores, node } = measured.machine;
  const record = {
    time: now.toISOString(),
    commit: git('rev-parse', '--short', 'HEAD'),
    machine: `${processor}, ${cores} cores, Node ${node}`,
    ratios: rounded(ratiosOf(measured)),
  };
  const file = join(folder, `${record.time.replaceAll(':', '-')}.json`);
  await writeFile(file, `${JSON.stringify(record, null, 2)}\n`);
  return file;
}

/** Prints the newest record beside the best before it; returns whether no ratio got worse. */
export async function printHistory(worse) {
  const names = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith('.json'));
  const texts = await Promise.all(names.sort().map((name) => readFile(join(folder, name), 'utf8')));
  const records = texts.map((text) => JSON.parse(text));
  if (records.length === 0) {
    console.log('No record. `npm run bench -- --record` makes one.');
    return true;
  }
  const compared = compareRecords(records, worse);
  const { time, commit, machine } = records.at(-1);
  console.log(
    `${time}, commit ${commit}, on ${machine}; ${records.length - 1} records before it.\n`,
  );
  for (const { name, now, best, commit: then, worse: isWorse } of compared) {
    const before = best === undefined ? 'first record' : `best before ${spread(best)} at ${then}`;
    console.log(`${isWorse ? 'WORSE ' : '      '}${name}  ${spread(now)}  ${before}`);
  }
  return compared.every((one) => !one.worse);
}

const spread = ({ low, median, high }) =>
  `${median.toFixed(2)} (${low.toFixed(2)} … ${high.toFixed(2)})`;

function rounded(ratios) {
  const three = (x) => Number(x.toPrecision(3));
  return Object.fromEntries(
    Object.entries(ratios).map(([name, { low, median, high }]) => [
      name,
      { low: three(low), median: three(median), high: three(high) },
    ]),
  );
}
