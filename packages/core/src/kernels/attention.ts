import type { Tensor } from '@tensorflow/tfjs-core';
import { fusedOperation } from './fused-operation.ts';
import { runKernel } from './run-kernel.ts';

/** What {@link attention} computes from: n samples, t queries, s keys, rows of w numbers, the heads side by side. */
export interface AttentionCall {
  /** n × t × w. */
  readonly q: Tensor;
  /** n × s × w. */
  readonly k: Tensor;
  /** n × s × w. */
  readonly v: Tensor;
  /** 1 where a key counts, 0 where its score is lowered by 10⁹: n × s. @defaultValue ones */
  readonly mask?: Tensor;
  /** Number of heads, which divides w. */
  readonly heads: number;
  /** Factor of the scores, `1/√(w / heads)` as a rule. */
  readonly scale: number;
}

/**
 * Scaled dot-product attention of several heads, as one kernel each way: `softmax(scale · Q Kᵀ) V` for each sample and head.
 *
 * @returns n × t × w, the heads side by side; null where the backend in use lacks the kernels, or where the gradient will
 *   itself be differentiated: then the caller composes it of other operations
 *
 * @example
 * ```ts
 * import { attention } from '@multigrad/core/kernels';
 * import { useBackend } from '@multigrad/backends';
 * import * as tf from '@tensorflow/tfjs-core';
 *
 * await useBackend('cpu');
 * const x = tf.ones([2, 5, 8]); // 2 samples, 5 tokens, 4 heads of 2 numbers
 * console.log(attention({ q: x, k: x, v: x, heads: 4, scale: 1 })?.shape); // [ 2, 5, 8 ]
 * ```
 *
 * @see Vaswani et al., "Attention Is All You Need", NeurIPS 2017 (https://arxiv.org/abs/1706.03762), equation 1
 */
export function attention({ q, k, v, mask, heads, scale }: AttentionCall): Tensor | null {
  const attributes = { heads, scale };
  return fusedOperation({
    kernels: ['Attention', 'AttentionGrad'],
    owner: 'attention',
    inputs: [q, k, v],
    forward: () => {
      const inputs = { q, k, v, ...(mask === undefined ? {} : { mask }) };
      const [value, p] = runKernel('Attention', inputs, attributes) as [Tensor, Tensor];
      return { value, saved: { q, k, v, p } };
    },
    backward: (dy, saved) => runKernel('AttentionGrad', { dy, ...saved }, attributes),
  });
}
