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

/** Token numbers 1 … vocabulary − 1 in an order that repeats late; 0 would be padding. */
export function tokens(batchSize, length, vocabulary) {
  const numbers = Array.from(
    { length: batchSize * length },
    (_, i) => 1 + ((i * 7919) % (vocabulary - 1)),
  );
  return tf.tensor2d(numbers, [batchSize, length], 'int32');
}
