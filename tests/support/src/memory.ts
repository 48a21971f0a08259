import * as tf from '@tensorflow/tfjs-core';
import { expect } from 'vitest';

interface Footprint {
  readonly tensors: number;
  readonly buffers: number;
  readonly bytes: number;
}

function footprint(): Footprint {
  const { numTensors, numDataBuffers, numBytes } = tf.memory();
  return { tensors: numTensors, buffers: numDataBuffers, bytes: numBytes };
}

/**
 * Runs `body` and expects TensorFlow.js to hold exactly as many tensors, buffers and bytes afterwards as before. What is
 * expected to throw is caught within `body`. What `body` returns must not be a tensor that is still alive.
 */
export async function expectConstantMemory<T>(body: () => T | Promise<T>): Promise<T> {
  const before = footprint();
  // Where `body` throws the test has failed, and that is the message to see.
  const result = await body();
  expect(footprint(), 'tensors, buffers and bytes held by TensorFlow.js').toEqual(before);
  return result;
}

/** A variable whose initial value does not stay behind as a tensor of its own. */
export function variableOf<R extends tf.Rank>(
  initial: () => tf.Tensor<R>,
  name?: string,
): tf.Variable<R> {
  return tf.tidy(() => tf.variable(initial(), true, name));
}
