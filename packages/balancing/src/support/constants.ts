import * as tf from '@tensorflow/tfjs-core';

/**
 * Tensors that count as constants: no gradient goes through them, and no objective reaches what they were made of.
 *
 * Gradients of zero would not be the same: a strategy would see an objective that reaches the variables behind it.
 *
 * @param make - runs at once, without being recorded
 */
export function constants<T extends tf.Tensor>(make: () => readonly T[]): T[] {
  let kept: readonly T[] = [];
  // What runs within a custom gradient is not recorded; the operation itself depends on the number alone.
  const operation = tf.customGrad((unused) => {
    kept = make().map((one) => tf.keep(one));
    return {
      value: tf.clone(unused as tf.Tensor),
      gradFunc: () => tf.zerosLike(unused as tf.Tensor),
    };
  });
  operation(tf.scalar(0));
  return kept.map((one) => {
    const copy = tf.clone(one);
    one.dispose();
    return copy;
  });
}

/** The same for one tensor. */
export function constant<T extends tf.Tensor>(make: () => T): T {
  return constants(() => [make()])[0]!;
}

/**
 * A scalar of which value and slope are known: it reaches what `at` depends on, and nothing else.
 *
 * @param slope - its derivative by `at`, of the same shape
 */
export function knownLoss(value: tf.Tensor, slope: tf.Tensor, at: tf.Tensor): tf.Scalar {
  const operation = tf.customGrad((...inputs: (tf.Tensor | tf.GradSaveFunc)[]) => {
    (inputs[1] as tf.GradSaveFunc)([slope]);
    return {
      value: tf.clone(value),
      gradFunc: (gradient: tf.Tensor, saved: tf.Tensor[]) => tf.mul(saved[0]!, gradient),
    };
  });
  return operation(at) as tf.Scalar;
}
