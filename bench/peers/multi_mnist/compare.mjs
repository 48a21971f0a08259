import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

// A study's records beside those of reference.py: means over seeds, and the differences seed by seed with their 95 % interval.
//
//   node bench/peers/multi_mnist/compare.mjs docs/experiments/records/multi-mnist-noisy FOLDER

const [ours, theirs] = process.argv.slice(2);
const read = (folder) =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')));
/** Student's t for 95 %, by number of seeds, from a printed table. */
const quantiles = [
  NaN,
  NaN,
  12.7062,
  4.30265,
  3.18245,
  2.77645,
  2.57058,
  2.44691,
  2.36462,
  2.306,
  2.26216,
];
const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length;
const deviation = (values) =>
  Math.sqrt(
    values.reduce((sum, value) => sum + (value - mean(values)) ** 2, 0) / (values.length - 1),
  );
const last = ({ curves }, side) => 100 * curves.test[side].accuracy.at(-1);

const records = read(ours);
console.log('| row | rate | task | multigrad | PyTorch | difference | seeds |');
console.log('| --- | ---: | --- | ---: | ---: | ---: | --- |');
const found = read(theirs);
for (const key of [...new Set(found.map(({ row, lr }) => `${row} ${lr}`))].sort()) {
  const [row, lr] = key.split(' ');
  const pairs = found
    .filter((one) => one.row === row && String(one.lr) === lr)
    .flatMap((one) => {
      const own = records.find((r) => r.row === row && r.lr === one.lr && r.seed === one.seed);
      return own === undefined ? [] : [[own, one]];
    });
  if (pairs.length === 0) continue;
  for (const side of ['left', 'right']) {
    const columns = [0, 1].map((k) => pairs.map((pair) => last(pair[k], side)));
    const gaps = columns[0].map((value, k) => value - columns[1][k]);
    const reach = (quantiles[gaps.length] * deviation(gaps)) / Math.sqrt(gaps.length);
    const cell = (values) =>
      mean(values).toFixed(2) + (values.length > 1 ? ` ± ${deviation(values).toFixed(2)}` : '');
    const interval = Number.isFinite(reach)
      ? ` [${(mean(gaps) - reach).toFixed(2)}, ${(mean(gaps) + reach).toFixed(2)}]`
      : '';
    const seeds = pairs.map(([{ seed }]) => seed).sort((a, b) => a - b);
    console.log(
      `| ${row} | ${lr} | ${side} | ${columns.map(cell).join(' | ')} | ${mean(gaps).toFixed(2)}${interval} | ${seeds.join(', ')} |`,
    );
  }
}
