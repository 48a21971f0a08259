import {
  FusedConv2D,
  FusedDepthwiseConv2D,
  getBackend,
  getKernel,
  Reshape,
  _FusedMatMul,
} from '@tensorflow/tfjs-core';
import type { KernelCall, TapeNode } from '../tape/tape-internals.ts';

/**
 * Kernels whose formula is known also where a `tf.customGrad` calls them. Of other custom gradients nothing is known: a
 * gradient may be written to differ from what its kernel computes.
 */
const trustedWithin: ReadonlySet<string> = new Set([
  _FusedMatMul,
  FusedConv2D,
  FusedDepthwiseConv2D,
  'LayerNorm',
  'Gelu',
  'SeededDropout',
  'BatchNormTraining',
]);

/** The kernel that a recorded operation runs, with its attributes; null for a custom gradient of an unknown formula. */
export function operationOf(node: TapeNode): KernelCall | null {
  const { kernelName, inputs, attributes, within = [] } = node;
  if ((getKernel(kernelName, getBackend()) as unknown) !== undefined) {
    return attributes === undefined ? null : { kernel: kernelName, inputs, attributes };
  }
  // A reshaped result holds the same numbers.
  const calls = within.filter(({ kernel }) => kernel !== Reshape);
  const [only] = calls;
  return calls.length === 1 && trustedWithin.has(only!.kernel) ? only! : null;
}

/** The name of a recorded operation in messages. */
export function nameOf(node: TapeNode): string {
  const operation = operationOf(node);
  if (operation !== null) return operation.kernel;
  const kernels = (node.within ?? []).map(({ kernel }) => kernel);
  return kernels.length === 0
    ? 'an operation with a custom gradient'
    : `an operation with a custom gradient (${kernels.slice(0, 4).join(', ')}${kernels.length > 4 ? ', …' : ''})`;
}
