import * as tf from '@tensorflow/tfjs-core';

/** The labels of a batch as tensors. */
export interface ClassLabels {
  /** n × classes: 1 at the label; all zero where it is missing. */
  readonly target: tf.Tensor2D;
  /** n × 1: 1 where there is a label, else 0. */
  readonly present: tf.Tensor2D;
  /** Number of labels that are there. */
  readonly count: tf.Scalar;
}

/**
 * Class labels as tensors.
 *
 * @param labels - n integers, −1 where one is missing, int32
 */
export function classLabels(labels: tf.Tensor1D, classes: number): ClassLabels {
  // Cast from integers: the wasm backend writes the bits of integers where `tf.oneHot` is asked for float32.
  const present = tf.expandDims<tf.Tensor2D>(tf.cast(tf.greaterEqual(labels, 0), 'float32'), 1);
  const target = tf.mul<tf.Tensor2D>(tf.cast(tf.oneHot(labels, classes), 'float32'), present);
  return { target, present, count: tf.sum<tf.Scalar>(present) };
}

/** The softmax cross-entropy of each sample, n × 1, in nats; 0 where the label is missing. */
export function crossEntropies(logits: tf.Tensor2D, { target }: ClassLabels): tf.Tensor2D {
  return tf.neg(tf.sum(tf.mul(target, tf.logSoftmax(logits)), 1, true));
}

/** The mean softmax cross-entropy over the labelled samples. */
export function crossEntropy(logits: tf.Tensor2D, labels: ClassLabels): tf.Scalar {
  return tf.div<tf.Scalar>(tf.sum(crossEntropies(logits, labels)), labels.count);
}

/** The mean probability that logits give the true classes, 0 to 1, over the labelled samples. */
export function trueClassProbability(
  logits: tf.Tensor2D,
  { target, count }: ClassLabels,
): tf.Scalar {
  return tf.div<tf.Scalar>(tf.sum(tf.mul(tf.softmax(logits), target)), count);
}
