import * as tf from '@tensorflow/tfjs-core';

/** Points, and two questions about each: which side of a circle, and how far from the middle. */
export type Points = { x: tf.Tensor2D; inside: tf.Tensor2D; distance: tf.Tensor2D };

/** Draws `count` points; the same `seed` draws the same points. */
export function drawPoints(count: number, seed: number): Points {
  return tf.tidy(() => {
    const x = tf.randomNormal<tf.Rank.R2>([count, 2], 0, 1, 'float32', seed);
    const distance = tf.norm(x, 'euclidean', 1, true) as tf.Tensor2D;
    return { x, distance, inside: tf.cast(tf.less(distance, 1.2), 'float32') };
  });
}
