import { expectConstantMemory, startTestedBackend, testedBackends } from '@multigrad/test-support';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { hypervolume } from '../packages/cli/src/results/metrics.ts';

// The example of a hypernetwork that has learnt a Pareto set, beside the front that is known in closed form.

type Losses = (weights: tf.Tensor2D) => Record<string, tf.Scalar>;
interface ParetoSet {
  readonly hypernetwork: (options: {
    objectives: number;
    weights: number;
    seed: number;
  }) => LayersModel;
  readonly learnParetoSet: (
    network: LayersModel,
    losses: Losses,
    options: { names: string[]; steps: number; rate: number; seed: number },
  ) => Promise<void>;
}
interface Problem {
  readonly quadratics: Readonly<Record<string, { centre: number[]; slopes: number[] }>>;
  readonly losses: Losses;
  readonly optimum: (t: number) => [number, number];
}

const folder = join(import.meta.dirname, '../examples/pareto-set');
const { hypernetwork, learnParetoSet } = (await import(join(folder, 'pareto-set.js'))) as ParetoSet;
const { losses, optimum, quadratics } = (await import(join(folder, 'quadratics.js'))) as Problem;

const names = ['first', 'second'];
const count = 15;
/** Directions in the plane of the losses, at equal angles. */
const angles = Array.from({ length: count }, (_, i) => ((i + 0.5) / count) * (Math.PI / 2));
const reference = [12, 7];

/** The losses of what a network gives for each ray. */
function lossesOf(network: LayersModel): number[][] {
  return angles.map((angle) =>
    tf.tidy(() => {
      const counts = [1 / Math.cos(angle), 1 / Math.sin(angle)];
      const total = counts[0]! + counts[1]!;
      const preference = tf.tensor2d([counts.map((value) => value / total)]);
      const found = losses(network.apply(preference) as tf.Tensor2D);
      return names.map((name) => found[name]!.dataSync()[0]!);
    }),
  );
}

/** The point of the closed-form front on each ray, by bisection. */
const known = angles.map((angle) => {
  let [low, high] = [0, 1];
  for (let round = 0; round < 80; round += 1) {
    const t = (low + high) / 2;
    const [first, second] = optimum(t);
    if (Math.atan2(second, first) > angle) high = t;
    else low = t;
  }
  return optimum(low);
});

const volume = (points: readonly (readonly number[])[]): number =>
  hypervolume(points.map((point) => point.map((loss, k) => Math.max(0, reference[k]! - loss))));

const farthest = (points: readonly (readonly number[])[]): number =>
  Math.max(
    ...points.map(
      ([first, second], at) =>
        (180 / Math.PI) * Math.abs(Math.atan2(second!, first!) - angles[at]!),
    ),
  );

it('the front in closed form is where the gradients oppose each other', () => {
  for (const t of [0.1, 0.3, 0.5, 0.8]) {
    // No step of any weight betters the weighted sum of the losses that the point belongs to.
    const [one, two] = Object.values(quadratics);
    const at = (x: readonly number[]): number =>
      [one!, two!].reduce(
        (sum, { centre, slopes }, k) =>
          sum +
          (k === 0 ? t : 1 - t) *
            x.reduce((part, value, i) => part + 0.5 * slopes[i]! * (value - centre[i]!) ** 2, 0),
        0,
      );
    const [first, second] = optimum(t);
    const best = t * first + (1 - t) * second;
    let x = one!.centre.map(() => 0);
    for (let round = 0; round < 500; round += 1) {
      x = x.map((value, i) => {
        const slope =
          t * one!.slopes[i]! * (value - one!.centre[i]!) +
          (1 - t) * two!.slopes[i]! * (value - two!.centre[i]!);
        return value - 0.25 * slope;
      });
    }
    expect(at(x)).toBeCloseTo(best, 12);
  }
});

describe.each(testedBackends())('on %s', (backend) => {
  beforeAll(async () => {
    await startTestedBackend(backend);
  });

  it('has nearly all of the hypervolume of the known front, and follows rays', async () => {
    await expectConstantMemory(async () => {
      const network = hypernetwork({ objectives: 2, weights: 6, seed: 1 });
      const before = lossesOf(network);
      expect(volume(before) / volume(known)).toBeLessThan(0.9);
      expect(farthest(before)).toBeGreaterThan(30);
      await learnParetoSet(network, losses, { names, steps: 600, rate: 0.01, seed: 1 });
      const found = lossesOf(network);
      const share = volume(found) / volume(known);
      expect(share).toBeGreaterThan(0.975);
      // Nothing is below the front.
      found.forEach((point) => {
        for (let t = 0; t <= 1; t += 1 / 256) {
          const [first, second] = optimum(t);
          expect(point[0]! < first - 1e-4 && point[1]! < second - 1e-4).toBe(false);
        }
      });
      expect(farthest(found)).toBeLessThan(5);
      network.dispose();
    });
  });
});
