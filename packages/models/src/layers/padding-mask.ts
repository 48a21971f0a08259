import * as tf from '@tensorflow/tfjs-core';

/** 1 where a token stands and 0 where padding (token 0) does: n × t, float32. */
export function paddingMask(tokens: tf.Tensor): tf.Tensor {
  return tf.cast(tf.notEqual(tokens, 0), 'float32');
}
