import { randomState, resumeRandom } from '@multigrad/core/strategy';
import * as tf from '@tensorflow/tfjs-core';

/** Seeded normal numbers of standard deviation 1 around `shift`, as float32. */
export function normalValues(size: number, seed: number, shift = 0): Float32Array {
  const random = resumeRandom(randomState(seed, 'kernel test'));
  return Float32Array.from({ length: size }, () => random.normal() + shift);
}

/** A tensor of seeded standard normal numbers, the same on every backend. */
export function normal(shape: number[], seed: number, shift = 0): tf.Tensor {
  return tf.tensor(normalValues(tf.util.sizeFromShape(shape), seed, shift), shape);
}
