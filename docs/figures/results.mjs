import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { axes, frame, Picture } from './svg.mjs';

// Pictures of the tables of docs/short-runs.md and docs/speed.md, drawn from the tables themselves, so that both say the same.

const read = (name) => `\n${readFileSync(join(import.meta.dirname, '..', name), 'utf8')}`;
const pages = [read('short-runs.md'), read('speed.md').replace('\n# ', '\n## ')];

/** The tables below a heading: each a list of rows, each a list of cells. */
function tables(heading) {
  const page = pages.find((text) => text.includes(`\n## ${heading}`));
  if (page === undefined) throw new Error(`no page has the heading "${heading}"`);
  const section = page.slice(page.indexOf(`\n## ${heading}`) + 1).split(/\n## /)[0];
  return (section.match(/(?:^\|.*\n)+/gm) ?? []).map((table) =>
    table
      .trim()
      .split('\n')
      .slice(2)
      .map((row) =>
        row
          .split('|')
          .slice(1, -1)
          .map((cell) => cell.trim()),
      ),
  );
}

/** The numbers of a cell such as `38.2, 44.4`. */
const each = (cell) => cell.split(',').map(Number);
/** The mean and the standard deviation of a cell such as `**41.3** ± 4.4`. */
function spread(cell) {
  const [mean, sd] = cell.replaceAll('*', '').split('±').map(Number);
  return { mean, sd };
}

/** A strategy has the same colour in every picture, as in reports and in the playground. */
const colours = {
  ...{ joint: 'a', MGDA: 'd', sum: 'ink', MMPareto: 'e', PCGrad: 'c', CAGrad: 'b', UPGrad: 'f' },
  "sum, encoders' gradients 1.5": 'ink',
  "MMPareto, rescale 'tensor'": 'e',
};
/** The program's own names where the table's are long. */
const short = {
  "sum, encoders' gradients 1.5": 'sum × 1.5',
  "MMPareto, rescale 'tensor'": "MMPareto, 'tensor'",
};

const left = 150;
const rowHeight = 30;

/**
 * A line for each row: a dot for each value, a bar at their mean or a line from a standard deviation below it to one
 * above.
 */
function dots({ rows, x, ticks, xLabel, width = 480, head = 14 }) {
  const height = rows.length * rowHeight;
  const picture = new Picture(width, head + height + 48);
  const area = { left, top: head, width: width - left - 14, height };
  axes(picture, {
    ...{ x, y: [0, 1], ...area, xTicks: ticks, yTicks: [], xLabel, yLabel: '' },
  });
  const at = frame(picture, { x, y: [0, 1], ...area });
  rows.forEach(({ name, values = [], mean, sd, hollow = false, label = true }, i) => {
    const y = head + (i + 0.5) * rowHeight;
    const fill = colours[name];
    const place = (value) => at([value, 0])[0];
    if (label)
      picture.text(left - 10, y + 5, short[name] ?? name, { anchor: 'end', fill, weight: 600 });
    if (sd !== undefined && values.length === 0)
      picture.path(
        [
          [place(mean - sd), y],
          [place(mean + sd), y],
        ],
        { stroke: fill, width: 2 },
      );
    picture.path(
      [
        [place(mean), y - 9],
        [place(mean), y + 9],
      ],
      { stroke: fill, width: 3 },
    );
    for (const value of values)
      picture.circle(
        place(value),
        y,
        5,
        hollow ? { fill: 'paper', stroke: fill, width: 2 } : { fill },
      );
  });
  return picture;
}

function peers() {
  const [table] = tables('CG-MNIST, beside PyTorch');
  const rows = table.map(([name, program, values, mean]) => ({
    ...{ name, values: each(values), ...spread(mean) },
    hollow: program === 'PyTorch',
  }));
  let before;
  for (const row of rows) {
    row.label = row.name !== before;
    before = row.name;
  }
  return dots({
    rows,
    x: [32, 72],
    ticks: [40, 50, 60, 70],
    xLabel: 'multimodal head, % of test digits right',
  });
}

function eight() {
  const [table] = tables('CG-MNIST, eight strategies');
  const rows = table.map(([name, values, mean]) => ({
    name,
    values: each(values),
    ...spread(mean),
  }));
  return dots({
    rows,
    x: [20, 54],
    ticks: [20, 30, 40, 50],
    xLabel: 'multimodal head, % of test digits right',
  });
}

function audioVisual(column, x, ticks, xLabel) {
  const [table] = tables('Audio-visual digits');
  const rows = table.map((cells) => ({ name: cells[0], ...spread(cells[column]) }));
  return dots({ rows, x, ticks, xLabel, width: 420 });
}

function tasks(index, column, x, ticks, xLabel) {
  const rows = tables('Two tasks')[index].map((cells) => ({
    ...{ name: cells[0], ...spread(cells[column]) },
  }));
  return dots({ rows, x, ticks, xLabel, width: 420 });
}

function ratios() {
  const [table] = tables('What MMPareto starts from');
  const lines = table
    .map(([encoder, of, ...cells], i) => ({ encoder: encoder || table[i - 1][0], of, cells }))
    .filter(({ of }) => of === 'lengths');
  const picture = new Picture(520, 300);
  const at = axes(picture, {
    ...{ x: [0, 5], y: [0, 1.2], left: 40, top: 34, width: 300, height: 218 },
    ...{ xTicks: [0, 1, 2, 3, 4, 5], yTicks: [0, 0.25, 0.5, 0.75, 1], xLabel: 'epochs' },
    yLabel: 'multimodal gradient, lengths of the unimodal one',
  });
  const looks = [
    ['ink', ''],
    ['b', '6 4'],
    ['a', '2 4'],
    ['c', '8 3 2 3'],
  ];
  lines.forEach(({ encoder, cells }, i) => {
    const [stroke, dash] = looks[i];
    const values = cells.slice(0, 6).map(Number);
    picture.path(
      values.map((value, epoch) => at([epoch, value])),
      { stroke, dash, width: 2.5 },
    );
    const y = 70 + i * 24;
    picture.path(
      [
        [358, y - 5],
        [390, y - 5],
      ],
      { stroke, dash, width: 2.5 },
    );
    picture.text(398, y, encoder, { fill: stroke });
  });
  picture.path([at([0, 1]), at([5, 1])], { stroke: 'quiet', width: 1.5, dash: '3 3' });
  return picture;
}

function speed() {
  const [table] = tables('Speed of a step');
  const rows = table.map(([network, backend, , official], i) => ({
    ...{ network: network || table[i - 1][0], backend, ratio: Number(official) },
  }));
  const head = 14;
  const height = rows.length * 26;
  const picture = new Picture(560, head + height + 48);
  const area = { left: 250, top: head, width: 296, height };
  axes(picture, {
    ...{ x: [0, 2], y: [0, 1], ...area, xTicks: [0, 0.5, 1, 1.5, 2], yTicks: [] },
    ...{ xLabel: "time of MMPareto's step; the official loop takes 1", yLabel: '' },
  });
  const at = frame(picture, { x: [0, 2], y: [0, 1], ...area });
  rows.forEach(({ network, backend, ratio }, i) => {
    const y = head + (i + 0.5) * 26;
    const fill = backend === 'wasm' ? 'a' : 'b';
    if (i % 2 === 0) picture.text(4, y + 18, network.replace(/, batch.*$/, ''), { size: 13 });
    picture.text(240, y + 5, backend, { anchor: 'end', fill, size: 13 });
    const [from, to] = [at([0, 0])[0], at([ratio, 0])[0]];
    picture.rect(from, y - 8, to - from, 16, { fill, radius: 2 });
  });
  picture.path([at([1, 0]), at([1, 1])], { stroke: 'ink', width: 1.5, dash: '4 3' });
  return picture;
}

const percent = 'in percent of the test set';
export const figures = {
  'results-cg-mnist-peers': {
    title: `Test accuracy of the multimodal head on CG-MNIST ${percent}, each seed a dot: joint loss and MGDA near 40, sum, PCGrad and MMPareto from 52 to 68; multigrad (filled) and an independent PyTorch program (hollow) overlap`,
    draw: peers,
  },
  'results-cg-mnist-eight': {
    title: `Test accuracy of the multimodal head on CG-MNIST ${percent} by eight strategies, each seed a dot and the mean a bar: MMPareto, PCGrad and the two sums overlap between 36 and 51, CAGrad, UPGrad and MGDA are lower`,
    draw: eight,
  },
  'results-av-digits-joint': {
    title: `Test accuracy of the joint head on audio-visual digits ${percent}, mean and standard deviation: the sum with longer steps 97.6, MMPareto 96.9, PCGrad 96.1, sum 95.5, UPGrad 91.3, MGDA 84.1`,
    draw: () => audioVisual(2, [76, 100], [80, 90, 100], 'joint head, %'),
  },
  'results-av-digits-audio': {
    title: `Test accuracy of the audio head on audio-visual digits ${percent}, mean and standard deviation: the sum with longer steps 73.7, MMPareto 69.4, PCGrad 64.9, sum 62.8, UPGrad 48.5, MGDA 36.2`,
    draw: () => audioVisual(5, [20, 90], [20, 40, 60, 80], 'audio head, %'),
  },
  'results-multi-mnist': {
    title: `Test accuracy of the right task of MultiMNIST ${percent}, mean and standard deviation: sum, MMPareto and PCGrad at 89, UPGrad 87.6, MGDA 87.3`,
    draw: () => tasks(0, 3, [64, 92], [65, 75, 85], 'right task, %'),
  },
  'results-multi-mnist-noisy': {
    title: `The same with noise on the right task: sum and PCGrad 73.5, MMPareto 72.8, UPGrad 71.7, MGDA 68.2`,
    draw: () => tasks(1, 3, [64, 92], [65, 75, 85], 'right task, with noise, %'),
  },
  'results-gradient-lengths': {
    title:
      'Median length of the multimodal gradient over that of the unimodal one, in four encoders: 0.7 at the start, near 1 after one or two epochs, 0.1 to 0.5 after five',
    draw: ratios,
  },
  'results-speed': {
    title:
      'Time of a step of MMPareto over that of the official loop in PyTorch, on four networks: 0.6 to 1.2 on native TensorFlow, 1.2 to 1.8 on wasm',
    draw: speed,
  },
};
