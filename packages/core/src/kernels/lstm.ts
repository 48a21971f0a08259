import { matMul, type Tensor } from '@tensorflow/tfjs-core';
import { fusedOperation } from './fused-operation.ts';
import { cotangent, type RecurrentCall, rowsOf } from './recurrent.ts';
import { runKernel } from './run-kernel.ts';

/** What {@link lstm} computes from: n sequences of t steps, u units. */
export interface LstmCall extends RecurrentCall {
  /** `x_t W + b` for the gates i, f, g, o, side by side: n × t × 4u. */
  readonly sums: Tensor;
  /** The recurrent kernel U, u × 4u. */
  readonly recurrent: Tensor;
  /** The cell before the first step, n × u. */
  readonly c: Tensor;
  /** `sequence`: the states of all steps, n × t × u; `last`: state and cell behind the last step, n × 2u. */
  readonly output: 'sequence' | 'last';
}

/**
 * A long short-term memory over whole sequences, as one kernel each way:
 *
 * `[i, f, g, o] = sums_t + h_{t−1} U`, `c_t = σ(f) ⊙ c_{t−1} + σ(i) ⊙ tanh(g)`, `h_t = σ(o) ⊙ tanh(c_t)`.
 *
 * @returns the states; null where the backend in use lacks the kernels, or where the gradient will itself be
 *   differentiated: then the caller composes it of other operations
 *
 * @example
 * ```ts
 * import { lstm } from '@multigrad/core/kernels';
 * import { useBackend } from '@multigrad/backends';
 * import * as tf from '@tensorflow/tfjs-core';
 *
 * await useBackend('cpu');
 * const states = lstm({
 *   sums: tf.zeros([2, 5, 12]), // 2 sequences, 5 steps, 3 units
 *   recurrent: tf.zeros([3, 12]),
 *   h: tf.zeros([2, 3]),
 *   c: tf.zeros([2, 3]),
 *   hard: false,
 *   output: 'sequence',
 * });
 * console.log(states?.shape); // [ 2, 5, 3 ]
 * ```
 *
 * @see S. Hochreiter, J. Schmidhuber, "Long Short-Term Memory", Neural Computation 9(8), 1997
 */
export function lstm({ sums, recurrent, h, c, mask, hard, output }: LstmCall): Tensor | null {
  const masked: { readonly mask?: Tensor } = mask === undefined ? {} : { mask };
  return fusedOperation({
    kernels: ['Lstm', 'LstmGrad'],
    owner: 'an LSTM',
    inputs: [sums, recurrent, h, c],
    forward: () => {
      const inputs = { sums, recurrent, h, c, ...masked };
      const [states, last, gates, cells, before] = runKernel('Lstm', inputs, { hard }) as Five;
      const value = output === 'sequence' ? states : last;
      return { value, saved: { recurrent, c, gates, cells, before, ...masked } };
    },
    backward: (dy, { before, ...saved }) => {
      const [dSums, dH, dC] = runKernel(
        'LstmGrad',
        { [cotangent(output)]: dy, ...saved },
        { hard },
      );
      return [dSums!, matMul(rowsOf(before), rowsOf(dSums!), true), dH!, dC!];
    },
  });
}

type Five = [Tensor, Tensor, Tensor, Tensor, Tensor];
