import * as tf from '@tensorflow/tfjs-core';

/**
 * A loss as it is, that also reaches the variables behind some logits, with a gradient of 0: for heads that a method leaves
 * alone. A trainer refuses variables that no objective reaches.
 */
export function alsoReaching(loss: tf.Tensor, logits: readonly tf.Tensor[]): tf.Scalar {
  return tf.add<tf.Scalar>(loss, tf.mul(0, tf.addN(logits.map((own) => tf.sum(own)))));
}
