import * as tf from '@tensorflow/tfjs-core';
import { expect } from 'vitest';

/**
 * Expects the gradient of a smooth loss to agree with central differences along random directions, source by source.
 *
 * @param tolerance - relative to the source's gradient; float32 and a step of 1e-2 leave about 1e-3
 */
export function expectGradientByDifferences(
  loss: () => tf.Scalar,
  sources: readonly tf.Variable[],
  tolerance = 5e-3,
): void {
  tf.tidy(() => {
    const { grads } = tf.variableGrads(loss, [...sources]);
    const step = 1e-2;
    sources.forEach((source, k) => {
      const gradient = grads[source.name]!;
      const norm = tf.norm(gradient).dataSync()[0]!;
      // A zero gradient would agree with anything that ignores the source.
      expect(norm, source.name).toBeGreaterThan(1e-4);
      for (const seed of [1, 2]) {
        const random = tf.randomNormal(source.shape, 0, 1, 'float32', 100 * k + seed);
        const direction = tf.div(random, tf.norm(random));
        const before = source.clone();
        const at = (by: number): number => {
          source.assign(tf.add(before, tf.mul(direction, by)));
          return loss().dataSync()[0]!;
        };
        const slope = (at(step) - at(-step)) / (2 * step);
        source.assign(before);
        const expected = tf.sum(tf.mul(gradient, direction)).dataSync()[0]!;
        expect(Math.abs(slope - expected) / norm, source.name).toBeLessThan(tolerance);
      }
    });
  });
}
