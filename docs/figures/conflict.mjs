import { cosine, gramianOf, integrateMatrix } from '@multigrad/core/strategy';
import { mgda } from '@multigrad/strategy-mgda';
import { mmpareto } from '@multigrad/strategy-mmpareto';
import { pcgrad } from '@multigrad/strategy-pcgrad';
import { sum } from '@multigrad/strategy-sum';
import { Picture, frame } from './svg.mjs';

// Two gradients of two parameters, the directions that lower both losses, and what strategies make of them.

/** The smaller one is the joint loss's, as in multimodal networks. */
const conflicting = [
  [1.4, 0.2],
  [-1.8, 1.3],
];
const agreeing = [
  [1.5, 0.35],
  [0.5, 1.5],
];

const strategies = [
  ['sum', sum(), 'ink'],
  ['PCGrad', pcgrad({ seed: 1 }), 'c'],
  ['MMPareto', mmpareto({ gamma: 1.5 }), 'e'],
  ['MGDA', mgda(), 'd'],
];

const size = { width: 360, height: 300 };
const view = { x: [-2.4, 2.4], y: [-0.7, 3.3] };

/** The directions u with ⟨u, g⟩ >= 0 for both gradients, between the two borders, as far as the picture reaches. */
function cone([a, b]) {
  const far = 10;
  const along = (angle) => [far * Math.cos(angle), far * Math.sin(angle)];
  const angle = ([px, py]) => Math.atan2(py, px);
  // With the second gradient to the left of the first, the cone lies between the second turned right and the first turned
  // left by a right angle.
  return [
    [0, 0],
    along(angle(b) - Math.PI / 2),
    along((angle(a) + angle(b)) / 2),
    along(angle(a) + Math.PI / 2),
  ];
}

function start(gradients) {
  const picture = new Picture(size.width, size.height);
  const at = frame(picture, view);
  const edge = `<clipPath id="edge"><rect width="${size.width}" height="${size.height}"/></clipPath>`;
  picture.add(edge).add('<g clip-path="url(#edge)">');
  picture.path(cone(gradients).map(at), { fill: 'c', close: true, opacity: 0.16 });
  picture.add('</g>');
  picture.path([at([-2.4, 0]), at([2.4, 0])], { stroke: 'rule', width: 1 });
  picture.path([at([0, -0.7]), at([0, 3.3])], { stroke: 'rule', width: 1 });
  gradients.forEach((gradient, k) => picture.arrow(at([0, 0]), at(gradient), { stroke: 'ab'[k] }));
  return { picture, at };
}

const near = (at, [x, y], [dx, dy]) => {
  const [px, py] = at([x, y]);
  return [px + dx, py + dy];
};

function plain(gradients, where) {
  const { picture, at } = start(gradients);
  const { update } = integrateMatrix(sum(), gradients);
  picture.arrow(at([0, 0]), at(update), { stroke: 'ink', dash: '5 4' });
  picture.text(...near(at, gradients[0], where[0]), 'g₁', { fill: 'a', weight: 600, size: 16 });
  picture.text(...near(at, gradients[1], where[1]), 'g₂', { fill: 'b', weight: 600, size: 16 });
  picture.text(...near(at, update, where[2]), 'g₁ + g₂', { size: 15 });
  const angle = cosine(gramianOf(gradients), 0, 1);
  picture.text(10, 288, `cosine ${angle.toFixed(2).replace('-', '−')}`, { fill: 'quiet' });
  return picture;
}

/** Each strategy's update of the conflicting gradients. */
function updates() {
  return strategies.map(([name, strategy, fill]) => {
    const { update } = integrateMatrix(strategy, conflicting);
    return { name, fill, update };
  });
}

function compared() {
  const { picture, at } = start(conflicting);
  picture.text(...near(at, conflicting[0], [-2, 22]), 'g₁', { fill: 'a', weight: 600, size: 16 });
  picture.text(...near(at, conflicting[1], [-26, 4]), 'g₂', { fill: 'b', weight: 600, size: 16 });
  const labels = { sum: [-6, -8, 'end'], PCGrad: [-8, -8], MGDA: [12, 6], MMPareto: [10, 4] };
  for (const { name, fill, update } of updates()) {
    const look = { sum: { dash: '5 4' }, MGDA: { width: 4 } }[name];
    picture.arrow(at([0, 0]), at(update), { stroke: fill, ...look });
    const [dx, dy, anchor] = labels[name];
    picture.text(...near(at, update, [dx, dy]), name, {
      fill,
      weight: 600,
      anchor: anchor ?? 'start',
    });
  }
  return picture;
}

/** MGDA's update is the point nearest to zero on the line between the gradients. */
function shortest() {
  const { picture, at } = start(conflicting);
  const { update, weights } = integrateMatrix(mgda(), conflicting);
  picture.path(conflicting.map(at), { stroke: 'quiet', dash: '2 5' });
  picture.arrow(at([0, 0]), at(update), { stroke: 'd' });
  picture.text(...near(at, conflicting[0], [-2, 22]), 'g₁', { fill: 'a', weight: 600, size: 16 });
  picture.text(...near(at, conflicting[1], [-26, 4]), 'g₂', { fill: 'b', weight: 600, size: 16 });
  const [first, second] = [...weights].map((weight) => weight.toFixed(2));
  picture.text(...near(at, update, [14, -6]), `${first} g₁ + ${second} g₂`, {
    fill: 'd',
    weight: 600,
  });
  return picture;
}

const lies = (gradients, update) =>
  gradients.every((row) => row[0] * update[0] + row[1] * update[1] > -1e-12) ? 'within' : 'outside';
const sumLies = (gradients) => lies(gradients, integrateMatrix(sum(), gradients).update);

export const figures = {
  agreement: {
    title: () =>
      `Two gradients g1 and g2 that form an acute angle. Their sum lies ${sumLies(agreeing)} the cone of common descent directions.`,
    draw: () =>
      plain(agreeing, [
        [6, 12],
        [-8, -8],
        [-60, -8],
      ]),
  },
  conflict: {
    title: () =>
      `Two gradients g1 and g2 that form an obtuse angle, g2 the longer one. Their sum lies ${sumLies(conflicting)} the cone of common descent directions, which is narrow.`,
    draw: () =>
      plain(conflicting, [
        [-2, 22],
        [-26, 4],
        [-62, -8],
      ]),
  },
  updates: {
    title: () =>
      `The updates of four strategies for two conflicting gradients. ${updates()
        .map(({ name, update }) => `${name} lies ${lies(conflicting, update)}`)
        .join(', ')} the cone of common descent directions.`,
    draw: compared,
  },
  'min-norm': {
    title:
      'The combination of g1 and g2 that is nearest to zero, at a right angle to the line between them.',
    draw: shortest,
  },
};
