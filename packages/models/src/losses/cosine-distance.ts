import * as tf from '@tensorflow/tfjs-core';
import { assertAlike } from './regression.ts';

// What is added to the square of a prediction's length, so that one of length 0 has a direction, none, and a gradient.
const smallest = 1e-12;

/**
 * Mean of one minus the cosine of the angle between directions, over the targets that are there:
 * `L = (1/m) Σ (1 − ⟨p, t⟩ / |p| |t|)`, m the number of targets without a NaN; the usual loss for normals of surfaces.
 *
 * Only directions count: predictions and targets may have any length. A prediction of length 0 has the loss 1.
 *
 * @param predictions - n × size, float32
 * @param targets - n × size, float32; NaN where missing
 * @returns a scalar from 0 to 2; NaN if all targets are missing
 * @throws MultigradError `invalid-argument` when shapes or types do not fit
 *
 * @example
 * ```ts
 * import { cosineDistance } from '@multigrad/models';
 * import '@tensorflow/tfjs-backend-cpu';
 * import * as tf from '@tensorflow/tfjs-core';
 *
 * const targets = tf.tensor2d([[0, 0, -1], [0, 0, -1], [NaN, NaN, NaN]]);
 * const loss = cosineDistance(tf.tensor2d([[0, 0, -3], [5, 0, 0], [1, 1, 1]]), targets);
 * console.log(loss.arraySync()); // (0 + 1)/2 = 0.5
 * ```
 *
 * @see Liu, Johns and Davison, "End-to-End Multi-Task Learning with Attention", CVPR 2019 (https://arxiv.org/abs/1803.10704),
 * section 3.3: there without the one, which has no gradient
 */
export function cosineDistance(predictions: tf.Tensor2D, targets: tf.Tensor2D): tf.Scalar {
  assertAlike('cosineDistance', predictions, targets);
  return tf.tidy(() => {
    const { given, present } = known(targets);
    const cosine = tf.sum(tf.mul(unit(predictions), unit(given)), 1);
    const distances = tf.mul(tf.sub(1, cosine), present);
    return tf.div<tf.Scalar>(tf.sum(distances), tf.sum(present));
  });
}

/**
 * The angle in degrees between each prediction and its target, n of them, and 1 where the target is there, 0 where it is
 * missing.
 */
export function angles(
  predictions: tf.Tensor2D,
  targets: tf.Tensor2D,
): { readonly values: tf.Tensor1D; readonly present: tf.Tensor1D } {
  return tf.tidy(() => {
    const { given, present } = known(targets);
    const [p, t] = [unit(predictions), unit(given)];
    // The arc cosine of a product near 1 has few digits; half the angle is the arc tangent of |p − t| by |p + t|.
    const half = tf.atan2(tf.norm(tf.sub(p, t), 2, 1), tf.norm(tf.add(p, t), 2, 1));
    return { values: tf.mul<tf.Tensor1D>(half, 360 / Math.PI), present };
  });
}

/** Directions without those that are missing, which are 0 there, and where they are present. */
function known(targets: tf.Tensor2D): { readonly given: tf.Tensor; readonly present: tf.Tensor1D } {
  const missing = tf.any<tf.Tensor1D>(tf.isNaN(targets), 1);
  const present = tf.sub<tf.Tensor1D>(1, tf.cast(missing, 'float32'));
  const everywhere = tf.broadcastTo(tf.expandDims(missing, 1), targets.shape);
  return { given: tf.where(everywhere, tf.zerosLike(targets), targets), present };
}

function unit(directions: tf.Tensor): tf.Tensor {
  return tf.div(directions, tf.sqrt(tf.add(tf.sum(tf.square(directions), 1, true), smallest)));
}
