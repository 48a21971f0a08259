import { customGrad, type GradSaveFunc, matMul, reshape, type Tensor } from '@tensorflow/tfjs-core';
import { hasKernel, runKernel } from './run-kernel.ts';
import { assertFirstOrder, isDifferentiatedTwice } from './second-order.ts';

/** What {@link lstm} computes from: n sequences of t steps, u units. */
export interface LstmCall {
  /** `x_t W + b` for the gates i, f, g, o, side by side: n × t × 4u. */
  readonly sums: Tensor;
  /** The recurrent kernel U, u × 4u. */
  readonly recurrent: Tensor;
  /** The state before the first step, n × u. */
  readonly h: Tensor;
  /** The cell before the first step, n × u. */
  readonly c: Tensor;
  /** 1 where a step counts, 0 where state and cell stay as they were: n × t. @defaultValue ones */
  readonly mask?: Tensor;
  /** Whether gates are `x / 5 + 1/2` kept in [0, 1], in place of the sigmoid. */
  readonly hard: boolean;
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
  if (!hasKernel('Lstm') || !hasKernel('LstmGrad') || isDifferentiatedTwice()) return null;
  const masked: Readonly<Record<string, Tensor>> = mask === undefined ? {} : { mask };
  const operation = customGrad((...given: (Tensor | GradSaveFunc)[]) => {
    const [ahead, weights, state, cell, save] = given as [
      Tensor,
      Tensor,
      Tensor,
      Tensor,
      GradSaveFunc,
    ];
    const inputs = { sums: ahead, recurrent: weights, h: state, c: cell, ...masked };
    const [states, last, gates, cells, before] = runKernel('Lstm', inputs, { hard }) as Five;
    save([weights, cell, gates, cells, before, ...(mask === undefined ? [] : [mask])]);
    return {
      value: output === 'sequence' ? states : last,
      gradFunc: (dy: Tensor, saved: Tensor[]) => {
        assertFirstOrder('an LSTM');
        const [weights, cell, gates, cells, before, mask] = saved as [...Five, Tensor?];
        const [dSums, dH, dC] = runKernel(
          'LstmGrad',
          {
            [output === 'sequence' ? 'dStates' : 'dLast']: dy,
            recurrent: weights,
            c: cell,
            ...(mask === undefined ? {} : { mask }),
            gates,
            cells,
          },
          { hard },
        ) as [Tensor, Tensor, Tensor];
        return [dSums, matMul(rows(before), rows(dSums), true), dH, dC];
      },
    };
  });
  return operation(sums, recurrent, h, c);
}

type Five = [Tensor, Tensor, Tensor, Tensor, Tensor];

/** All steps of all sequences, one below the other. */
function rows(x: Tensor): Tensor {
  const [count, steps, width] = x.shape as [number, number, number];
  return reshape(x, [count * steps, width]);
}
