import { gramianOf, integrateMatrix, minNormPoint } from '@multigrad/core/strategy';
import { mgda } from '@multigrad/strategy-mgda';
import { mmpareto } from '@multigrad/strategy-mmpareto';
import { pcgrad } from '@multigrad/strategy-pcgrad';
import { sum } from '@multigrad/strategy-sum';
import { Picture, axes, frame } from './svg.mjs';

// Two losses of two parameters, each an elliptic valley: where both cannot fall, and how strategies get there.

/** L_k(x) = ½ Σ_i c_i (x_i − m_i)² in axes turned by an angle. */
const losses = [
  { minimum: [-1.2, 0.2], curvature: [0.35, 2.2], turn: 0.9 },
  { minimum: [1.3, -0.3], curvature: [3.2, 0.6], turn: 0.35 },
];

const turned = ({ minimum, turn }, [x, y]) => {
  const [dx, dy] = [x - minimum[0], y - minimum[1]];
  return [dx * Math.cos(turn) + dy * Math.sin(turn), dy * Math.cos(turn) - dx * Math.sin(turn)];
};
const lossAt = (loss, point) =>
  turned(loss, point).reduce((total, value, i) => total + 0.5 * loss.curvature[i] * value ** 2, 0);
function gradientAt(loss, point) {
  const [p, q] = turned(loss, point).map((value, i) => loss.curvature[i] * value);
  return [
    p * Math.cos(loss.turn) - q * Math.sin(loss.turn),
    p * Math.sin(loss.turn) + q * Math.cos(loss.turn),
  ];
}
const jacobianAt = (point) => losses.map((loss) => gradientAt(loss, point));
const lossesAt = (point) => losses.map((loss) => lossAt(loss, point));

/** The ellipse on which a loss has a value. */
function contour(loss, value) {
  return Array.from({ length: 97 }, (_, i) => {
    const angle = (i / 96) * 2 * Math.PI;
    const p = Math.sqrt((2 * value) / loss.curvature[0]) * Math.cos(angle);
    const q = Math.sqrt((2 * value) / loss.curvature[1]) * Math.sin(angle);
    const { turn, minimum } = loss;
    return [
      minimum[0] + p * Math.cos(turn) - q * Math.sin(turn),
      minimum[1] + p * Math.sin(turn) + q * Math.cos(turn),
    ];
  });
}

/** Where a weighted sum of both losses is least: `(Σ w_k H_k) x = Σ w_k H_k m_k`, for w from 0 to 1. */
function paretoSet() {
  const hessian = (loss) => {
    const [c, s] = [Math.cos(loss.turn), Math.sin(loss.turn)];
    const [a, b] = loss.curvature;
    return [a * c * c + b * s * s, (a - b) * c * s, a * s * s + b * c * c];
  };
  const [h1, h2] = losses.map(hessian);
  const times = ([a, b, d], [x, y]) => [a * x + b * y, b * x + d * y];
  return Array.from({ length: 101 }, (_, i) => {
    const w = i / 100;
    const [a, b, d] = h1.map((value, j) => (1 - w) * value + w * h2[j]);
    const [r1, r2] = [times(h1, losses[0].minimum), times(h2, losses[1].minimum)];
    const r = r1.map((value, j) => (1 - w) * value + w * r2[j]);
    const determinant = a * d - b * b;
    return [(d * r[0] - b * r[1]) / determinant, (a * r[1] - b * r[0]) / determinant];
  });
}

/** The paths start here, where one loss is steep. */
const from = [-0.4, 2.1];
const steps = 400;
const rate = 0.02;

const strategies = [
  ['sum', () => sum(), 'ink', '6 4'],
  ['PCGrad', () => pcgrad({ seed: 1 }), 'c', ''],
  ['MGDA', () => mgda(), 'd', ''],
  ['MMPareto', () => mmpareto({ gamma: 1.5 }), 'e', ''],
];

/** Plain gradient descent: every strategy the same number of steps, at the same learning rate. */
function descend(strategy) {
  let point = from;
  let state;
  const path = [point];
  for (let step = 0; step < steps; step += 1) {
    const result = integrateMatrix(strategy, jacobianAt(point), { state, step });
    state = result.state;
    point = point.map((value, i) => value - rate * result.update[i]);
    path.push(point);
  }
  const { squaredNorm } = minNormPoint(gramianOf(jacobianAt(point)));
  // What the text beside the picture says of the paths' ends.
  if (squaredNorm > 1e-2)
    throw new Error(`${strategy.name} did not get to the Pareto set: ${squaredNorm}`);
  return path;
}

const paths = () =>
  strategies.map(([name, make, fill, dash]) => ({ name, fill, dash, path: descend(make()) }));

const view = { x: [-2.4, 2.4], y: [-1.4, 2.6] };

function valleys(width, height) {
  const picture = new Picture(width, height);
  const at = frame(picture, view);
  picture.add(
    `<clipPath id="edge"><rect width="${width}" height="${height}"/></clipPath><g clip-path="url(#edge)">`,
  );
  losses.forEach((loss, k) => {
    for (const value of [0.1, 0.4, 0.9, 1.6, 2.5, 4, 6])
      picture.path(contour(loss, value).map(at), { stroke: 'ab'[k], width: 1, opacity: 0.45 });
    picture.circle(...at(loss.minimum), 3.5, { fill: 'ab'[k] });
  });
  picture.path(paretoSet().map(at), { stroke: 'quiet', width: 6, opacity: 0.45 });
  return { picture, at };
}

function drawPaths() {
  const { picture, at } = valleys(360, 300);
  for (const { fill, dash, path } of paths())
    picture.path(path.map(at), { stroke: fill, width: 2.5, dash });
  picture.circle(...at(from), 4);
  picture.add('</g>');
  const label = (point, dx, dy, text, fill, anchor = 'start') => {
    const [x, y] = at(point);
    picture.text(x + dx, y + dy, text, { fill, weight: 600, anchor });
  };
  label(losses[0].minimum, -10, 6, 'L₁', 'a', 'end');
  label(losses[1].minimum, 10, 14, 'L₂', 'b');
  return picture;
}

function drawLosses() {
  const picture = new Picture(360, 300);
  const front = paretoSet().map(lossesAt);
  const at = axes(picture, {
    ...{ x: [0, 2.5], y: [0, 6], left: 34, top: 28, width: 312, height: 222 },
    ...{ xTicks: [0, 0.5, 1, 1.5, 2, 2.5], yTicks: [0, 2, 4, 6], xLabel: 'L₁', yLabel: 'L₂' },
  });
  picture.add(
    '<clipPath id="plot"><rect x="34" y="28" width="312" height="222"/></clipPath><g clip-path="url(#plot)">',
  );
  picture.path(front.map(at), { stroke: 'quiet', width: 6, opacity: 0.45 });
  for (const { fill, dash, path } of paths())
    picture.path(
      path.map((point) => at(lossesAt(point))),
      { stroke: fill, width: 2.5, dash },
    );
  picture.add('</g>');
  strategies.forEach(([name, , fill, dash], i) => {
    const y = 46 + i * 20;
    picture.path(
      [
        [226, y - 5],
        [252, y - 5],
      ],
      { stroke: fill, width: 2.5, dash },
    );
    picture.text(260, y, name, { fill });
  });
  picture.circle(...at(lossesAt(from)), 4);
  return picture;
}

/** Where along the Pareto set the gradients are opposed, and their shortest combination is zero. */
function drawStationary() {
  const { picture, at } = valleys(360, 300);
  const shown = [paretoSet()[8], paretoSet()[40], [1.0, 1.2]];
  for (const point of shown) {
    jacobianAt(point).forEach((gradient, k) => {
      const length = Math.hypot(...gradient);
      const scale = Math.min(1, 0.75 / length);
      // Downhill, which is where a step goes.
      const tip = point.map((value, i) => value - scale * gradient[i]);
      picture.arrow(at(point), at(tip), { stroke: 'ab'[k] });
    });
    picture.circle(...at(point), 4);
  }
  picture.add('</g>');
  return picture;
}

export const figures = {
  paths: {
    title: () =>
      `Contours of two losses, L1 and L2, over two parameters; the curve of points at which neither can fall without the other rising, the Pareto set; and the paths of four strategies to it. After ${steps} steps the losses are ${paths()
        .map(
          ({ name, path }) =>
            `${lossesAt(path.at(-1))
              .map((value) => value.toFixed(2))
              .join(' and ')} for ${name}`,
        )
        .join(', ')}.`,
    draw: drawPaths,
  },
  front: {
    title:
      'The same paths in the plane of the two losses: each ends on the Pareto front, at a trade-off of its own.',
    draw: drawLosses,
  },
  stationary: {
    title: () => {
      const shortest = minNormPoint(gramianOf(jacobianAt(paretoSet()[40])));
      return `Downhill directions of L1 and L2 at three points. At the two on the Pareto set they are opposed, with weights ${[...shortest.weights].map((w) => w.toFixed(2)).join(' and ')} at the second, so no direction lowers both; at the third they are not.`;
    },
    draw: drawStationary,
  },
};
