import type { Vector } from '../plane/vectors.ts';

// Two losses of two parameters, a usual test of strategies. Above y = 0 each has a steep, narrow valley, below it both have
// a flat one, which they share:
//
//   L1 = c1 f1 + c2 g1,   L2 = c1 f2 + c2 g2
//   f1 = ln max(|0.5 (−x − 7) − tanh(−y)|, 5e-6) + 6,       g1 = ((−x + 7)² + 0.1 (−y − 8)²) / 10 − 20
//   f2 = ln max(|0.5 (−x + 3) − tanh(−y) + 2|, 5e-6) + 6,   g2 = ((−x − 7)² + 0.1 (−y − 8)²) / 10 − 20
//   c1 = max(tanh(0.5 y), 0),                               c2 = max(tanh(−0.5 y), 0)
//
// Liu et al., Conflict-Averse Gradient Descent for Multi-task Learning, NeurIPS 2021, the toy example.

/** A value with its derivatives by x and y. */
type Dual = readonly [value: number, byX: number, byY: number];

/** `ln max(|inner|, floor) + 6`, whose bottom is flat. */
function steep([value, byX, byY]: Dual): Dual {
  const floor = 5e-6;
  if (Math.abs(value) <= floor) return [Math.log(floor) + 6, 0, 0];
  return [Math.log(Math.abs(value)) + 6, byX / value, byY / value];
}

/** `((x − centre)² + 0.1 (y + 8)²) / 10 − 20`. */
const flat = ([x, y]: Vector, centre: number): Dual => [
  ((x - centre) ** 2 + 0.1 * (y + 8) ** 2) / 10 - 20,
  (x - centre) / 5,
  (y + 8) / 50,
];

/** `max(tanh(slope · y), 0)`. */
function gate(y: number, slope: number): Dual {
  const value = Math.tanh(slope * y);
  return value > 0 ? [value, 0, slope * (1 - value * value)] : [0, 0, 0];
}

const product = (a: Dual, b: Dual): Dual => [
  a[0] * b[0],
  a[1] * b[0] + a[0] * b[1],
  a[2] * b[0] + a[0] * b[2],
];

const total = (a: Dual, b: Dual): Dual => [a[0] + b[0], a[1] + b[1], a[2] + b[2]];

function both(point: Vector): readonly [Dual, Dual] {
  const [x, y] = point;
  const bend = Math.tanh(y);
  const slope = 1 - bend * bend;
  const [upper, lower] = [gate(y, 0.5), gate(y, -0.5)];
  const loss = (offset: number, centre: number): Dual =>
    total(
      product(upper, steep([-0.5 * x + offset + bend, -0.5, slope])),
      product(lower, flat(point, centre)),
    );
  return [loss(-3.5, 7), loss(3.5, -7)];
}

/** The two losses at a point. */
export function lossesAt(point: Vector): Vector {
  const [first, second] = both(point);
  return [first[0], second[0]];
}

/** Their gradients. */
export function gradientsAt(point: Vector): readonly [Vector, Vector] {
  const [first, second] = both(point);
  return [
    [first[1], first[2]],
    [second[1], second[2]],
  ];
}

/**
 * The Pareto set: the points at which neither loss can fall without the other rising, from the best one for L2 to the best
 * one for L1.
 *
 * It lies in the flat valley: `λ L1 + (1 − λ) L2` is least at `x = 7 (2 λ − 1)`, where it is
 * `c2 (19.6 λ (1 − λ) − 20 + 0.01 (y + 8)²)`; y follows by bisection of the derivative.
 */
export function paretoSet(count: number): Vector[] {
  return Array.from({ length: count }, (_, i) => {
    const share = i / (count - 1);
    const least = 19.6 * share * (1 - share) - 20;
    const slope = (y: number): number => {
      const [value, , byY] = gate(y, -0.5);
      return byY * (least + 0.01 * (y + 8) ** 2) + value * 0.02 * (y + 8);
    };
    let [low, high] = [-12, -8];
    for (let k = 0; k < 60; k += 1) {
      const middle = (low + high) / 2;
      if (slope(middle) < 0) low = middle;
      else high = middle;
    }
    return [7 * (2 * share - 1), (low + high) / 2];
  });
}

const finely = paretoSet(141);

/** How far a point is from the Pareto set, in steps of 0.05 along it. */
export const distanceToParetoSet = ([x, y]: Vector): number =>
  Math.min(...finely.map(([px, py]) => Math.hypot(x - px, y - py)));
