import { scalar, type Tensor } from '@tensorflow/tfjs-core';

/** A gradient that is made once numbers have been added up over the ranks. */
export interface DeferredGradient {
  /** This rank's numbers. */
  readonly values: Float64Array;
  /** Makes the gradient from the sums over the ranks. */
  readonly make: (sums: Float64Array) => Tensor;
}

/** What operations put off while they compute their gradients, by the tensor that stands for it; null outside of that. */
let collecting: Map<Tensor, DeferredGradient> | null = null;

/**
 * For the gradient of an operation that needs numbers of all ranks: adds `values` up over the ranks, and makes the gradient
 * from the sums.
 *
 * In the backward passes of a training step the sums of several objectives, and of operations that do not depend on each other,
 * are made in one exchange. `make` runs later then, and this returns a tensor that stands for its result: the gradient
 * function has to return that tensor as it is. In all other backward passes `sumNow` adds up at once.
 *
 * @param values - this rank's numbers; the same count on every rank
 * @param sumNow - adds up over the ranks in place: that of the `share` of the forward pass
 * @param make - makes the gradient; it may use the operation's saved tensors and the gradient that it was given, but no other
 *   tensors of its gradient function, which are freed before
 *
 * @example
 * ```ts
 * import { gradientFromSums } from '@multigrad/core';
 * import * as tf from '@tensorflow/tfjs-core';
 * import '@tensorflow/tfjs-backend-cpu';
 *
 * // y = x minus the mean of x over all ranks, of which each has as many samples.
 * const centre = (x: tf.Tensor, sumNow: (values: Float64Array) => void, ranks: number): tf.Tensor => {
 *   const meanOf = (sums: Float64Array): number => sums[0]! / (x.size * ranks);
 *   const ownSum = (value: tf.Tensor): Float64Array => Float64Array.from(tf.sum(value).dataSync());
 *   return tf.customGrad((input) => {
 *     const sums = ownSum(input as tf.Tensor);
 *     sumNow(sums);
 *     return {
 *       value: tf.sub(input as tf.Tensor, meanOf(sums)),
 *       gradFunc: (dy: tf.Tensor) =>
 *         gradientFromSums(ownSum(dy), sumNow, (total) => tf.sub(dy, meanOf(total))),
 *     };
 *   })(x);
 * };
 * const gradient = tf.grad((x) => tf.sum(tf.square(centre(x, () => undefined, 1))));
 * console.log(gradient(tf.tensor1d([1, 2, 6])).arraySync()); // [ -4, -2, 6 ]
 * ```
 */
export function gradientFromSums(
  values: Float64Array,
  sumNow: (values: Float64Array) => void,
  make: (sums: Float64Array) => Tensor,
): Tensor {
  if (collecting === null) {
    const sums = values.slice();
    sumNow(sums);
    return make(sums);
  }
  // Whoever computes with it in spite of the rule gets NaN, which the checks of gradients find.
  const standIn = scalar(NaN);
  collecting.set(standIn, { values, make });
  return standIn;
}

/** Runs the gradient function of an operation, and returns also which of its gradients were put off. */
export function collectDeferred<T>(differentiate: () => T): {
  readonly result: T;
  readonly deferred: ReadonlyMap<Tensor, DeferredGradient>;
} {
  const outer = collecting;
  const deferred = new Map<Tensor, DeferredGradient>();
  collecting = deferred;
  try {
    return { result: differentiate(), deferred };
  } finally {
    collecting = outer;
  }
}
