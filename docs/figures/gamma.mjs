import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Picture, axes } from './svg.mjs';

// The loss while MMPareto trains with several gammas behind an optimizer, as docs/experiments/update-sizes.mjs measured it.

const { runs, steps } = JSON.parse(
  readFileSync(join(import.meta.dirname, '../experiments/update-sizes.json'), 'utf8'),
);

const look = [
  ['ink', '6 4'],
  ['e', ''],
  ['d', ''],
];

function draw(optimizer) {
  const picture = new Picture(360, 300);
  const at = axes(picture, {
    ...{ x: [0, steps], y: [0, 3], left: 34, top: 48, width: 312, height: 206 },
    ...{ xTicks: [0, 50, 100, 150], yTicks: [0, 1, 2, 3], xLabel: 'step', yLabel: '' },
  });
  picture.text(4, 18, optimizer, { weight: 600, size: 15 });
  picture.text(4, 38, 'multimodal loss, means over 10 steps', { fill: 'quiet', size: 13 });
  runs
    .filter((run) => run.optimizer === optimizer)
    .forEach(({ gamma, losses }, i) => {
      const [stroke, dash] = look[i];
      picture.path(
        losses.map((loss, j) => at([10 * j + 5, loss])),
        { stroke, dash, width: 2.5 },
      );
      const y = 196 + i * 20;
      picture.path(
        [
          [48, y - 5],
          [74, y - 5],
        ],
        { stroke, dash, width: 2.5 },
      );
      picture.text(82, y, `gamma ${gamma}`, { fill: stroke });
    });
  return picture;
}

const title = (optimizer) => {
  const last = runs
    .filter((run) => run.optimizer === optimizer)
    .map(({ gamma, losses }) => `${losses.at(-1).toFixed(2)} with gamma ${gamma}`);
  return `The multimodal loss over ${steps} steps of MMPareto behind ${optimizer}: at the end ${last.join(', ')}.`;
};

export const figures = {
  'gamma-sgd': {
    title: title('SGD with momentum'),
    draw: () => draw('SGD with momentum'),
  },
  'gamma-adam': { title: title('Adam'), draw: () => draw('Adam') },
};
