import { normalTensor } from '@multigrad/test-support';
import * as tf from '@tensorflow/tfjs-core';

/** Weights by name. */
export type Weights = Readonly<Record<string, readonly number[]>>;

/** A part of `@multigrad/models` in a training of few steps. */
export interface Method {
  readonly kind: 'loss' | 'layer' | 'encoder' | 'fusion' | 'exchange' | 'sharing';
  readonly name: string;
  /** Trains with it, from seeded weights. */
  readonly train: () => Promise<Weights>;
  /** The same without it; where nothing can take its place, the weights from which `train` starts. */
  readonly without: () => Promise<Weights>;
}

/** Copies of variables. */
export function weightsOf(variables: Iterable<readonly [string, tf.Tensor]>): Weights {
  return Object.fromEntries(
    Array.from(variables, ([name, variable]) => [name, [...variable.dataSync()]]),
  );
}

/** Class numbers of a batch, one of them missing. */
export const labels = (): tf.Tensor1D => tf.tensor1d([0, 1, 2, 1, 0, -1], 'int32');

/** Samples of those labels: normal numbers, whose first one tells the class. */
export function samples(shape: readonly number[], seed: number): tf.Tensor {
  return tf.tidy(() => {
    const noise = normalTensor([6, ...shape], seed);
    const shift = tf.reshape(tf.cast(labels(), 'float32'), [6, ...shape.map(() => 1)]);
    return tf.add(noise, tf.mul(shift, 0.5));
  });
}
