import { randomState, resumeRandom } from '@multigrad/core/strategy';
import * as tf from '@tensorflow/tfjs-core';

/** A tensor of seeded standard normal numbers, the same on every backend. */
export function normal(shape: number[], seed: number, shift = 0): tf.Tensor {
  const random = resumeRandom(randomState(seed, 'kernel test'));
  const size = tf.util.sizeFromShape(shape);
  return tf.tensor(
    Float32Array.from({ length: size }, () => random.normal() + shift),
    shape,
  );
}
