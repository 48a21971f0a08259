import {
  expectConstantMemory,
  expectGradientByDifferences,
  startTestedBackend,
  testedBackends,
} from '@multigrad/test-support';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
// Registers gradients.
import '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { AngleErrors } from './angle-errors.ts';
import { cosineDistance } from './cosine-distance.ts';

type Direction = readonly [number, number, number];

const component = fc.float({ min: -4, max: 4, noNaN: true });
const direction = fc
  .tuple(component, component, component)
  .filter((one) => Math.hypot(...one) > 0.1);
/** Batches of predicted and given directions; null where the given one is missing. */
const batches = fc.array(
  fc.array(fc.tuple(direction, fc.option(direction, { freq: 5 })), { minLength: 1, maxLength: 9 }),
  { minLength: 1, maxLength: 3 },
);

const product = (p: Direction, t: Direction): number => p[0] * t[0] + p[1] * t[1] + p[2] * t[2];

/** The angle in degrees by the cross product, in float64. */
function angleOf(p: Direction, t: Direction): number {
  const cross = [p[1] * t[2] - p[2] * t[1], p[2] * t[0] - p[0] * t[2], p[0] * t[1] - p[1] * t[0]];
  return (Math.atan2(Math.hypot(...cross), product(p, t)) * 180) / Math.PI;
}

const mean = (values: readonly number[]): number =>
  values.reduce((a, b) => a + b, 0) / values.length;

const missing = [NaN, NaN, NaN] as const;

describe.each(testedBackends())('directions on %s', (backend) => {
  beforeAll(async () => {
    await startTestedBackend(backend);
  });

  it('have the angles of all batches together, and a loss by their cosines', async () => {
    await expectConstantMemory(async () => {
      await fc.assert(
        fc.asyncProperty(batches, async (given) => {
          const errors = new AngleErrors();
          for (const batch of given) {
            const predictions = tf.tensor2d(batch.map(([p]) => [...p]));
            const targets = tf.tensor2d(batch.map(([, t]) => [...(t ?? missing)]));
            await errors.add(predictions, targets);
            const pairs = batch.flatMap(([p, t]) => (t === null ? [] : [[p, t] as const]));
            const cosines = pairs.map(
              ([p, t]) => product(p, t) / Math.hypot(...p) / Math.hypot(...t),
            );
            const loss = tf.tidy(() => cosineDistance(predictions, targets).dataSync()[0]!);
            if (pairs.length === 0) expect(loss).toBeNaN();
            else expect(loss).toBeCloseTo(1 - mean(cosines), 5);
            tf.dispose([predictions, targets]);
          }
          const all = given.flat().flatMap(([p, t]) => (t === null ? [] : [angleOf(p, t)]));
          if (all.length === 0) {
            expect([errors.mean(), errors.median(), errors.within(30)]).toEqual([NaN, NaN, NaN]);
            return;
          }
          const sorted = [...all].sort((a, b) => a - b);
          const middle = [sorted[(all.length - 1) >> 1]!, sorted[all.length >> 1]!];
          expect(Math.abs(errors.mean() - mean(all))).toBeLessThan(1e-3);
          expect(Math.abs(errors.median() - mean(middle))).toBeLessThan(1e-3);
          for (const limit of [11.25, 30, 90]) {
            // Angles next to the limit may be rounded to its other side.
            const sure = (far: number) => all.filter((one) => one < limit + far).length;
            const found = errors.within(limit) * all.length;
            expect(found).toBeGreaterThan(sure(-1e-3) - 0.5);
            expect(found).toBeLessThan(sure(1e-3) + 0.5);
          }
        }),
        { numRuns: 20 },
      );
    });
  });

  it('are exact where they agree, and have no angle where a prediction is 0', async () => {
    await expectConstantMemory(async () => {
      const errors = new AngleErrors();
      const targets = tf.tensor4d([0.6, 0, -0.8, 0, -1, 0], [1, 1, 2, 3]);
      await errors.add(targets, targets);
      expect(errors.median()).toBeLessThan(1e-4);
      const nothing = tf.zerosLike(targets);
      await errors.add(nothing, targets);
      expect(errors.mean()).toBeCloseTo(45, 4);
      expect(errors.within(30)).toBe(0.5);
      const loss = tf.tidy(() =>
        cosineDistance(tf.reshape(nothing, [2, 3]), tf.reshape(targets, [2, 3])).dataSync(),
      );
      expect(loss[0]).toBe(1);
      tf.dispose([targets, nothing]);
    });
  });

  it('have a gradient that is that of differences, and none where the target is missing', async () => {
    await expectConstantMemory(() => {
      const targets = tf.tensor2d([[0.6, 0, -0.8], [...missing], [2, -1, 0.5]]);
      const predictions = tf.tidy(() =>
        tf.variable(
          tf.tensor2d([
            [0.3, 1, -0.4],
            [1, 2, 3],
            [0.2, -0.5, -0.7],
          ]),
        ),
      ) as tf.Variable<tf.Rank.R2>;
      expectGradientByDifferences(
        () => tf.tidy(() => cosineDistance(predictions, targets)),
        [predictions],
      );
      tf.tidy(() => {
        const { grads } = tf.variableGrads(() => cosineDistance(predictions, targets));
        const [gradient] = Object.values(grads);
        expect([...gradient!.dataSync()].slice(3, 6).every((slope) => slope === 0)).toBe(true);
      });
      tf.dispose([targets, predictions]);
    });
  });

  it('refuse what does not fit', async () => {
    await expectConstantMemory(async () => {
      const errors = new AngleErrors();
      const [three, two] = [tf.zeros<tf.Rank.R2>([4, 3]), tf.zeros<tf.Rank.R2>([4, 2])];
      await expect(errors.add(three, two)).rejects.toThrow(
        'Found float32 [4, 3] and float32 [4, 2]',
      );
      expect(() => cosineDistance(three, two)).toThrow('`cosineDistance` should get float32');
      tf.dispose([three, two]);
    });
  });
});
