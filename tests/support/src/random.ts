import { randomState, resumeRandom } from '@multigrad/core/strategy';
import * as tf from '@tensorflow/tfjs-core';

/** Seeded normal numbers of deviation 1, the same on every backend. */
export function normalTensor(shape: readonly number[], seed: number): tf.Tensor {
  const random = resumeRandom(randomState(seed, 'test'));
  const values = Float32Array.from({ length: tf.util.sizeFromShape([...shape]) }, () =>
    random.normal(),
  );
  return tf.tensor(values, [...shape]);
}

/**
 * Runs `body` with `Math.random` seeded: TensorFlow.js draws from it what is given no seed (initial weights, noise,
 * the order of samples).
 */
export function withSeededRandom<T>(seed: number, body: () => T): T {
  const random = resumeRandom(randomState(seed, 'Math.random'));
  const original = Math.random;
  const restore = (): void => {
    Math.random = original;
  };
  Math.random = () => random.uniform();
  let result: T;
  try {
    result = body();
  } catch (error) {
    restore();
    throw error;
  }
  if (result instanceof Promise) return result.finally(restore) as T;
  restore();
  return result;
}
