import type { BatchShare } from './gradient-exchange.ts';

let current: BatchShare | null = null;

/**
 * Runs one forward pass of a training step with this rank's share of the batch, which layers find by {@link currentShare}.
 */
export function withShare<T>(share: BatchShare, forward: () => T): T {
  const outer = current;
  current = share;
  try {
    return forward();
  } finally {
    current = outer;
  }
}

/**
 * This rank's share of the batch whose forward pass a trainer is running; null outside of a training step.
 *
 * A layer whose result depends on the samples of the other ranks takes it from here: dropout counts the samples of the ranks
 * before, batch norm adds up over all ranks.
 *
 * @example
 * ```ts
 * import { currentShare, MultiObjectiveTrainer } from '@multigrad/core';
 * import { sum } from '@multigrad/strategy-sum';
 * import * as tf from '@tensorflow/tfjs-core';
 * import '@tensorflow/tfjs-backend-cpu';
 * import '@tensorflow/tfjs-layers';
 *
 * const weight = tf.variable(tf.scalar(1));
 * const trainer = new MultiObjectiveTrainer({
 *   objectives: ({ x }: { x: tf.Tensor1D }) => {
 *     console.log(currentShare()?.firstSample); // 0: a process by itself has the whole batch
 *     return { task: tf.mean(tf.mul(x, weight)) };
 *   },
 *   variables: [weight],
 *   strategy: sum(),
 *   optimizer: tf.train.sgd(0.1),
 * });
 * await trainer.trainOnBatch({ x: tf.tensor1d([1, 2]) });
 * console.log(currentShare()); // null
 * ```
 */
export function currentShare(): BatchShare | null {
  return current;
}
