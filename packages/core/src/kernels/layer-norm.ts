import type { Tensor } from '@tensorflow/tfjs-core';
import { fusedOperation } from './fused-operation.ts';
import { runKernel } from './run-kernel.ts';

/** What {@link layerNorm} computes from. */
export interface LayerNormCall {
  /** Rows along the last axis, of c numbers each. */
  readonly x: Tensor;
  /** γ, c numbers. */
  readonly scale: Tensor;
  /** β, c numbers. */
  readonly offset: Tensor;
  /** Added to the variance. */
  readonly epsilon: number;
}

/**
 * Layer normalisation over the last axis, as one kernel each way: `y = γ ⊙ (x − μ)/√(σ² + ε) + β` with mean μ and biased
 * variance σ² of each row, and the total derivative.
 *
 * @returns y; null where the backend in use lacks the kernels, or where the gradient will itself be differentiated: then
 *   the caller composes it of other operations
 *
 * @example
 * ```ts
 * import { layerNorm } from '@multigrad/core/kernels';
 * import { useBackend } from '@multigrad/backends';
 * import * as tf from '@tensorflow/tfjs-core';
 *
 * await useBackend('cpu');
 * const call = { scale: tf.ones([2]), offset: tf.zeros([2]), epsilon: 0 };
 * console.log(layerNorm({ x: tf.tensor2d([[3, 5]]), ...call })?.arraySync()); // [ [ -1, 1 ] ]
 * ```
 *
 * @see Ba, Kiros and Hinton, "Layer Normalization", 2016 (https://arxiv.org/abs/1607.06450)
 */
export function layerNorm({ x, scale, offset, epsilon }: LayerNormCall): Tensor | null {
  return fusedOperation({
    kernels: ['LayerNorm', 'LayerNormGrad'],
    owner: 'a layer normalisation',
    inputs: [x, scale, offset],
    forward: () => {
      const outputs = runKernel('LayerNorm', { x, scale, offset }, { epsilon });
      const [value, mean, inverseDeviation] = outputs as [Tensor, Tensor, Tensor];
      return { value, saved: { x, scale, mean, inverseDeviation } };
    },
    backward: (dy, saved) => runKernel('LayerNormGrad', { dy, ...saved }),
  });
}
