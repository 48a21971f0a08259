import { reshape, type Tensor } from '@tensorflow/tfjs-core';

/** What recurrent layers compute from: n sequences of t steps, u units. */
export interface RecurrentCall {
  /** The state before the first step, n × u. */
  readonly h: Tensor;
  /** 1 where a step counts, 0 where the state stays as it was: n × t. @defaultValue ones */
  readonly mask?: Tensor;
  /** Whether gates are `x / 5 + 1/2` kept in [0, 1], in place of the sigmoid. */
  readonly hard: boolean;
}

/** The name under which a gradient kernel takes the gradient with respect to the chosen output. */
export function cotangent(output: 'sequence' | 'last'): 'dStates' | 'dLast' {
  return output === 'sequence' ? 'dStates' : 'dLast';
}

/** All steps of all sequences, one below the other. */
export function rowsOf(x: Tensor): Tensor {
  const [count, steps, width] = x.shape as [number, number, number];
  return reshape(x, [count * steps, width]);
}
