import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { OwnKernel } from '../../registry/own-kernel.ts';
import type { NodeBackend } from '../node-backend.ts';

/** A kernel of ours for native TensorFlow. */
export type NativeKernel = OwnKernel<NodeBackend>;

/**
 * Runs a kernel that our own builds add (`native/multigrad.cc`). Its outputs are float32.
 *
 * @param spent - how many of the first inputs are not read again, so that outputs may use their memory
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
