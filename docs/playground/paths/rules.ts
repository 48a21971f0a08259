import type { Vector } from '../plane/vectors.ts';

/** How an update becomes a step: plain gradient descent, or Adam. */
export interface Rule {
  readonly kind: 'sgd' | 'adam';
  readonly rate: number;
}

/** Adam's running means. */
export interface Moments {
  readonly first: Vector;
  readonly second: Vector;
}

/** Before the first step. */
export const noMoments: Moments = { first: [0, 0], second: [0, 0] };

const each = (value: (axis: 0 | 1) => number): Vector => [value(0), value(1)];

/**
 * The change of the parameters at step t >= 0: `−rate · u`, or Adam's with β₁ = 0.9, β₂ = 0.999, ε = 1e-8.
 *
 * @see Kingma and Ba, Adam: A Method for Stochastic Optimization, ICLR 2015, algorithm 1
 */
export function stepOf(
  { kind, rate }: Rule,
  update: Vector,
  moments: Moments,
  t: number,
): { readonly change: Vector; readonly moments: Moments } {
  if (kind === 'sgd') return { change: each((axis) => -rate * update[axis]), moments };
  const [beta1, beta2] = [0.9, 0.999];
  const first = each((axis) => beta1 * moments.first[axis] + (1 - beta1) * update[axis]);
  const second = each((axis) => beta2 * moments.second[axis] + (1 - beta2) * update[axis] ** 2);
  const change = each((axis) => {
    const mean = first[axis] / (1 - beta1 ** (t + 1));
    const square = second[axis] / (1 - beta2 ** (t + 1));
    return (-rate * mean) / (Math.sqrt(square) + 1e-8);
  });
  return { change, moments: { first, second } };
}
