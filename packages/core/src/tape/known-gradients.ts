import { getGradient } from '@tensorflow/tfjs-core';
import type { TapeNode } from './tape-internals.ts';

/**
 * Operations of TensorFlow.js that are a `tf.customGrad` and whose gradients depend on saved tensors, the gradient of the
 * output, and the attributes of the one kernel that they run, by the name of that kernel.
 */
const fusedOperations: ReadonlyMap<string, string> = new Map([
  ['fusedMatMul__op', '_FusedMatMul'],
  ['fusedConv2d__op', 'FusedConv2D'],
  ['fusedDepthwiseConv2d__op', 'FusedDepthwiseConv2D'],
]);

/**
 * Whether the gradient of an operation is known to depend on nothing but the gradient of its output, its saved tensors and
 * its attributes: that is what a gradient registered for a kernel gets to see. The function of a `tf.customGrad` may read any
 * number around it, such as the seed of a dropout.
 */
export function isFunctionOfItsInputs({ kernelName, attributes, within = [] }: TapeNode): boolean {
  if (attributes === undefined) return false;
  if ((getGradient(kernelName) as unknown) !== undefined) return true;
  const kernel = fusedOperations.get(kernelName);
  return kernel !== undefined && within.some((call) => call.kernel === kernel);
}
