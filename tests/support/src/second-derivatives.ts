import * as tf from '@tensorflow/tfjs-core';
import { expect } from 'vitest';
import { expectConstantMemory } from './memory.ts';

type F = (x: tf.Tensor) => tf.Tensor;

const shape: [number, number] = [3, 4];
/** Fixed numbers of size 1, more than 0.1 away from 0. */
const point = Float32Array.from({ length: 12 }, (_, i) => 1.4 * Math.sin(1.7 * i + 0.5));
const direction = Float32Array.from(point, (_, i) => Math.cos(2.3 * i));

/**
 * Expects the second derivative of f, of a 3 × 4 matrix, to agree with differences of its first: `H·u` at a fixed x, H
 * the Hessian of a scalar of all values of f and u a fixed direction, by a gradient of a gradient. Memory stays as it is.
 *
 * @param tolerance - relative to the largest number of H·u; float32 leaves about 1e-4
 */
export async function expectSecondDerivative(f: F, tolerance = 1e-3): Promise<void> {
  await expectConstantMemory(() => {
    const [found, expected] = [byGradients(f), byDifferences(f)];
    const size = Math.max(...expected.map(Math.abs));
    // A second derivative of zero would agree with one that is lost.
    expect(size).toBeGreaterThan(0.01);
    found.forEach((value, i) => {
      const distance = Math.abs(value - expected[i]!) / size;
      expect(distance, `number ${i}: ${value}, ${expected[i]}`).toBeLessThan(tolerance);
    });
  });
}

/** The sum of y + y², each value of f with a weight of its own. */
function scalarOf(f: F): (x: tf.Tensor) => tf.Scalar {
  return (x) => {
    const y = f(x);
    const weights = Float32Array.from({ length: y.size }, (_, i) => 1.2 + Math.cos(1.1 * i));
    return tf.sum(tf.mul(tf.add(tf.square(y), y), tf.tensor(weights, y.shape)));
  };
}

function byGradients(f: F): Float32Array {
  return tf.tidy(() => {
    const u = tf.tensor2d(direction, shape);
    const slope = (x: tf.Tensor): tf.Tensor => tf.sum(tf.mul(tf.grad(scalarOf(f))(x), u));
    return tf.grad(slope)(tf.tensor2d(point, shape)).dataSync<'float32'>().slice();
  });
}

function byDifferences(f: F): Float64Array {
  const gradientAt = (step: number): Float32Array =>
    tf.tidy(() => {
      const x = point.map((value, i) => value + step * direction[i]!);
      return tf.grad(scalarOf(f))(tf.tensor2d(x, shape)).dataSync<'float32'>().slice();
    });
  const step = 0.02;
  const [right, left] = [gradientAt(step), gradientAt(-step)];
  const [farRight, farLeft] = [gradientAt(2 * step), gradientAt(-2 * step)];
  // Four points: the error falls with the fourth power of the step.
  return Float64Array.from(
    point,
    (_, i) => (8 * (right[i]! - left[i]!) - (farRight[i]! - farLeft[i]!)) / (12 * step),
  );
}
