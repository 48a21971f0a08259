import { tidy, type TensorContainer } from '@tensorflow/tfjs-core';

/**
 * `tf.tidy` for any result type: frees every tensor that `body` made but for those in what it returns.
 *
 * TensorFlow.js finds tensors in nested arrays and plain objects whatever their type says; its own signature insists
 * on index signatures that a readable interface has not.
 */
export function scoped<T>(body: () => T): T {
  return tidy(body as () => TensorContainer) as T;
}
