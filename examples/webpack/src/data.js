import * as tf from '@tensorflow/tfjs-core';

/**
 * Draws `count` points, with two questions about each: which side of a circle, and how far from the middle. The same
 * `seed` draws the same points.
 */
export function drawPoints(count, seed) {
  return tf.tidy(() => {
    const x = tf.randomNormal([count, 2], 0, 1, 'float32', seed);
    const distance = tf.norm(x, 'euclidean', 1, true);
    return { x, distance, inside: tf.cast(tf.less(distance, 1.2), 'float32') };
  });
}
