import * as tf from '@tensorflow/tfjs-core';

/** Images of uniform noise: times do not depend on what is in them. */
export function images(shape, seed) {
  return tf.randomUniform(shape, 0, 1, 'float32', seed);
}

/** Labels 0 … 9 in turn. */
export function labels(count) {
  return tf.tensor1d(
    Array.from({ length: count }, (_, i) => i % 10),
    'int32',
  );
}
