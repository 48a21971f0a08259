import { tapeEngine } from './tape-internals.ts';

/**
 * How many gradients are open around the caller: 0 outside of all, and in a backward pass whose result nobody
 * differentiates; 1 while a forward pass is recorded; 2 and more inside a gradient that is itself differentiated, as in a
 * gradient penalty.
 *
 * One kernel of {@link trainingKernels} that computes a whole gradient has no gradient itself. A gradient function uses
 * it where the depth is 0, and operations of TensorFlow.js elsewhere.
 *
 * @example
 * ```ts
 * import { gradientDepth } from '@multigrad/core';
 * import '@tensorflow/tfjs-backend-cpu';
 * import '@tensorflow/tfjs-layers';
 * import * as tf from '@tensorflow/tfjs-core';
 *
 * const depths: number[] = [gradientDepth()];
 * const slope = tf.grad((x) => {
 *   depths.push(gradientDepth());
 *   return tf.square(x);
 * });
 * tf.grad((x) => slope(x))(tf.scalar(3));
 * console.log(depths); // [ 0, 2 ]
 * ```
 */
export function gradientDepth(): number {
  return tapeEngine().state.gradientDepth;
}
