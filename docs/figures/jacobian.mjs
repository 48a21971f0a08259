import { gramianOf, integrateMatrix } from '@multigrad/core/strategy';
import { mgda } from '@multigrad/strategy-mgda';
import { Picture } from './svg.mjs';

// From gradients to an update: the Jacobian, its Gramian, a strategy's weights, the weighted sum of the rows.

const jacobian = [
  [-4, 1, 1],
  [6, 1, 1],
];
const cell = { width: 42, height: 30 };
const text = (value) => String(Math.round(value * 1000) / 1000 + 0).replace('-', '−');

function matrix(picture, x, y, rows, { fill = () => 'ink' } = {}) {
  const [width, height] = [rows[0].length * cell.width, rows.length * cell.height];
  for (const [edge, inward] of [
    [x, 5],
    [x + width, -5],
  ])
    picture.path(
      [
        [edge + inward, y],
        [edge, y],
        [edge, y + height],
        [edge + inward, y + height],
      ],
      { stroke: 'quiet' },
    );
  rows.forEach((row, i) =>
    row.forEach((value, j) =>
      picture.text(x + (j + 0.5) * cell.width, y + (i + 0.5) * cell.height + 5, text(value), {
        anchor: 'middle',
        size: 15,
        fill: fill(i),
      }),
    ),
  );
}

function draw() {
  const picture = new Picture(740, 126);
  const { size, values } = gramianOf(jacobian);
  const gramian = Array.from({ length: size }, (_, i) => [
    ...values.slice(i * size, (i + 1) * size),
  ]);
  const { weights, update } = integrateMatrix(mgda(), jacobian);
  const y = 52;
  const title = (x, heading, below) => {
    picture.text(x, 22, heading, { weight: 600, size: 15 });
    picture.text(x, 42, below, { fill: 'quiet', size: 13 });
  };
  title(30, 'Jacobian J', 'a gradient per row');
  picture.text(4, y + 20, 'g₁', { fill: 'a', weight: 600 });
  picture.text(4, y + 50, 'g₂', { fill: 'b', weight: 600 });
  matrix(picture, 30, y, jacobian, { fill: (i) => 'ab'[i] });
  picture.arrow([172, y + 30], [212, y + 30], { width: 2, stroke: 'quiet' });
  title(228, 'Gramian G = J Jᵀ', 'inner products');
  matrix(picture, 228, y, gramian);
  picture.arrow([328, y + 30], [368, y + 30], { width: 2, stroke: 'quiet' });
  title(386, 'weights w', 'MGDA of G');
  matrix(
    picture,
    386,
    y,
    [...weights].map((weight) => [weight]),
    { fill: (i) => 'ab'[i] },
  );
  picture.arrow([446, y + 30], [486, y + 30], { width: 2, stroke: 'quiet' });
  title(504, 'update u', 'w₁ g₁ + w₂ g₂, for the optimizer');
  matrix(picture, 504, y + 15, [[...update]], { fill: () => 'd' });
  return picture;
}

export const figures = {
  jacobian: {
    title: () => {
      const { weights, update } = integrateMatrix(mgda(), jacobian);
      const { values } = gramianOf(jacobian);
      return `From the Jacobian with the rows ${jacobian.map((row) => row.join(', ')).join(' and ')} to the Gramian ${[...values].join(', ')}, to the weights ${[...weights].map(text).join(' and ')} of MGDA, to the update ${[...update].map(text).join(', ')}.`;
    },
    draw,
  },
};
