import * as tf from '@tensorflow/tfjs-core';

/**
 * Draws points of the plane, with two questions about each: whether it lies inside of a circle, and how far it is from the middle.
 * A client sees one sector of the plane alone, so that clients have different data: client 0 of 3 the first third of the circle.
 *
 * @param {{ client?: number, clients?: number, count: number, seed: number }} options - without `client` of the whole plane
 */
export function drawPoints({ client = 0, clients = 1, count, seed }) {
  return tf.tidy(() => {
    const uniform = (at) => tf.randomUniform([count, 1], 0, 1, 'float32', seed + at);
    const angle = tf.mul(tf.add(uniform(0), client), (2 * Math.PI) / clients);
    const distance = tf.mul(uniform(1000), 2);
    const x = tf.concat([tf.mul(distance, tf.cos(angle)), tf.mul(distance, tf.sin(angle))], 1);
    return { x, distance, inside: tf.cast(tf.less(distance, 1), 'float32') };
  });
}
