import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { OwnKernel } from '../../registry/own-kernel.ts';
import type { NodeBackend } from '../node-backend.ts';

/** A kernel of ours for native TensorFlow. */
export type NativeKernel = OwnKernel<NodeBackend>;

/**
 * Runs a kernel that our own builds bring (`native/multigrad.cc`); outputs are float32.
 *
 * @param spent - number of inputs, from the first, whose values nobody will read again: outputs take their memory
 */
export function runNative(
  backend: NodeBackend,
  name: string,
  inputs: readonly TensorInfo[],
  numbers: readonly number[],
  outputShapes: readonly (readonly number[])[],
  spent = 0,
): TensorInfo[] {
  const ids = backend.getInputTensorIds(inputs);
  const call = [name, ids, Float64Array.from(numbers), outputShapes] as const;
  const outputs =
    spent > 0 && backend.binding.takesSpent === true
      ? backend.binding.runKernel!(...call, spent)
      : backend.binding.runKernel!(...call);
  return outputs.map((output) => backend.createOutputTensor(output));
}
