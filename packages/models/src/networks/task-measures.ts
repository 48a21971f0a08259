import { resolveOptions } from '@multigrad/core/strategy';
import * as tf from '@tensorflow/tfjs-core';
import { countOption } from '../option-specs.ts';

/** A checked task, as the functions that its network needs. */
export interface TaskMeasures {
  /** Length of the head's output. */
  readonly outputs: number;
  readonly hidden: number | null;
  /** Whether it has a target at every pixel: its head takes and returns maps. */
  readonly dense: boolean;
  /** Targets in the form that loss and metric take; null if the batch has none. */
  readonly targets: (name: string, given: tf.Tensor) => tf.Tensor | null;
  /** The mean over the targets that are there. */
  readonly loss: (outputs: tf.Tensor2D, targets: tf.Tensor) => tf.Scalar;
  /** Accuracy of a classification, mean absolute error of a regression; what dense tasks have is said where they are. */
  readonly metrics: (outputs: tf.Tensor2D, targets: tf.Tensor) => Record<string, tf.Scalar>;
  /** The number of targets that are there, over which loss and metric are means. */
  readonly samples: (targets: tf.Tensor) => tf.Scalar;
}

/** The width of a head's hidden layer, null for none. @throws MultigradError `invalid-option` */
export function hiddenWidth(owner: string, hidden: number | undefined): number | null {
  if (hidden === undefined) return null;
  return resolveOptions(owner, { hidden: countOption('Width of the hidden layer', 1) }, { hidden })
    .hidden;
}

/** The number of targets that are not NaN. */
export function numberCount(targets: tf.Tensor): tf.Scalar {
  return tf.tidy(() => tf.sum<tf.Scalar>(tf.sub(1, tf.cast(tf.isNaN(targets), 'float32'))));
}

/** Mean of |p − t| over the targets that are not NaN. */
export function meanAbsoluteError(predictions: tf.Tensor, targets: tf.Tensor): tf.Scalar {
  return tf.tidy(() => {
    const missing = tf.isNaN(targets);
    const distance = tf.abs(tf.sub(predictions, targets));
    const sum = tf.sum(tf.where(missing, tf.zerosLike(distance), distance));
    return tf.div<tf.Scalar>(sum, tf.sum(tf.sub(1, tf.cast(missing, 'float32'))));
  });
}
