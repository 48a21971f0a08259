import { describeValue } from '@multigrad/core/support';
import * as tf from '@tensorflow/tfjs-core';

/** Describes for a message what was found in the place of a tensor: type and shape of one, else the value. */
export function describeInput(value: unknown): string {
  if (!(value instanceof tf.Tensor)) return describeValue(value);
  const { dtype, shape } = value as tf.Tensor;
  return `${dtype} [${shape.join(', ')}]`;
}
