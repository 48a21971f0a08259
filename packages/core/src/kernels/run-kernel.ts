import {
  engine,
  getBackend,
  getKernel,
  type NamedAttrMap,
  type Tensor,
} from '@tensorflow/tfjs-core';
import type { TrainingKernel } from './training-kernels.ts';

/**
 * Whether the backend in use has a kernel of this name.
 *
 * @example
 * ```ts
 * import { hasKernel } from '@multigrad/core/kernels';
 * import { useBackend } from '@multigrad/backends';
 *
 * await useBackend('cpu');
 * console.log(hasKernel('ReluGrad')); // true
 * ```
 */
export function hasKernel(name: TrainingKernel): boolean {
  return (getKernel(name, getBackend()) as unknown) !== undefined;
}

/**
 * Runs a kernel of {@link trainingKernels} on the backend in use, which must have it ({@link hasKernel}); inputs and
 * outputs are those of its contract.
 *
 * @returns the outputs, in order; the caller (or the tidy around it) owns them
 *
 * @example
 * ```ts
 * import { hasKernel, runKernel } from '@multigrad/core/kernels';
 * import { useBackend } from '@multigrad/backends';
 * import * as tf from '@tensorflow/tfjs-core';
 *
 * await useBackend('cpu');
 * if (hasKernel('ReluGrad')) {
 *   const [dx] = runKernel('ReluGrad', { dy: tf.tensor1d([1, 2]), y: tf.tensor1d([0, 3]) });
 *   console.log(dx!.arraySync()); // [ 0, 2 ]
 * }
 * ```
 */
export function runKernel(
  name: TrainingKernel,
  inputs: Readonly<Record<string, Tensor>>,
  attributes: Readonly<Record<string, unknown>> = {},
): Tensor[] {
  const result = engine().runKernel<Tensor | Tensor[]>(name, inputs, attributes as NamedAttrMap);
  return Array.isArray(result) ? result : [result];
}
