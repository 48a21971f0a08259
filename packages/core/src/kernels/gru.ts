import { concat, matMul, slice, type Tensor } from '@tensorflow/tfjs-core';
import { fusedOperation } from './fused-operation.ts';
import { cotangent, type RecurrentCall, rowsOf } from './recurrent.ts';
import { runKernel } from './run-kernel.ts';

/** What {@link gru} computes from: n sequences of t steps, u units. */
export interface GruCall extends RecurrentCall {
  /** `x_t W + b` for the gates z, r and the change g, side by side: n × t × 3u. */
  readonly sums: Tensor;
  /** The recurrent kernel U = [U_z, U_r, U_g], u × 3u. */
  readonly recurrent: Tensor;
  /** `sequence`: the states of all steps, n × t × u; `last`: the state behind the last step, n × u. */
  readonly output: 'sequence' | 'last';
}

/**
 * A gated recurrent unit over whole sequences, as one kernel each way:
 *
 * `[z, r] = σ([sums_z, sums_r]_t + h_{t−1} [U_z, U_r])`, `g = tanh(sums_{g,t} + (r ⊙ h_{t−1}) U_g)`,
 * `h_t = z ⊙ h_{t−1} + (1 − z) ⊙ g`.
 *
 * @remarks
 * The reset gate is applied before the product with U_g, as in the paper, in Keras with `reset_after=False` and in
 * `tf.layers.gru`; PyTorch's `GRU` applies it behind. The paper writes z for what is 1 − z here.
 *
 * @returns the states; null where the backend in use lacks the kernels, or where the gradient will itself be
 *   differentiated: then the caller composes it of other operations
 *
 * @example
 * ```ts
 * import { gru } from '@multigrad/core/kernels';
 * import { useBackend } from '@multigrad/backends';
 * import * as tf from '@tensorflow/tfjs-core';
 *
 * await useBackend('cpu');
 * const states = gru({
 *   sums: tf.zeros([2, 5, 9]), // 2 sequences, 5 steps, 3 units
 *   recurrent: tf.zeros([3, 9]),
 *   h: tf.zeros([2, 3]),
 *   hard: false,
 *   output: 'sequence',
 * });
 * console.log(states?.shape); // [ 2, 5, 3 ]
 * ```
 *
 * @see K. Cho et al., "Learning Phrase Representations using RNN Encoder-Decoder for Statistical Machine Translation",
 *   EMNLP 2014 (https://arxiv.org/abs/1406.1078), equations 5 to 8
 */
export function gru({ sums, recurrent, h, mask, hard, output }: GruCall): Tensor | null {
  const masked: { readonly mask?: Tensor } = mask === undefined ? {} : { mask };
  return fusedOperation({
    kernels: ['Gru', 'GruGrad'],
    owner: 'a GRU',
    inputs: [sums, recurrent, h],
    forward: () => {
      const inputs = { sums, recurrent, h, ...masked };
      const [states, last, gates, before, reset] = runKernel('Gru', inputs, { hard }) as Five;
      const value = output === 'sequence' ? states : last;
      return { value, saved: { recurrent, gates, before, reset, ...masked } };
    },
    backward: (dy, { reset, ...saved }) => {
      const [dSums, dH] = runKernel('GruGrad', { [cotangent(output)]: dy, ...saved }, { hard });
      const rows = rowsOf(dSums!);
      const [count, units] = [rows.shape[0], recurrent.shape[0]];
      const dGates = slice(rows, [0, 0], [count, 2 * units]);
      const dChange = slice(rows, [0, 2 * units], [count, units]);
      const dRecurrent = [
        matMul(rowsOf(saved.before), dGates, true),
        matMul(rowsOf(reset), dChange, true),
      ];
      return [dSums!, concat(dRecurrent, 1), dH!];
    },
  });
}

type Five = [Tensor, Tensor, Tensor, Tensor, Tensor];
