import { add, div, mul, sqrt, square, sub, type Tensor, tidy } from '@tensorflow/tfjs-core';
import { hasKernel, runKernel } from '../kernels/run-kernel.ts';
import type { OptionsOf } from '../plugin/options.ts';
import { resolveOptions } from '../plugin/options-resolve.ts';
import type { NamedVariables } from '../network/run-variables.ts';
import { materialise, namedRows } from '../rows/combination.ts';
import { FusedOptimizer, type UpdateVariable } from './fused-optimizer.ts';

/** Descriptions of the options of {@link fusedAdam}. */
const fusedAdamOptions = {
  /** Step size, > 0. @defaultValue 0.001 */
  learningRate: {
    kind: 'number',
    default: 0.001,
    exclusiveMinimum: 0,
    description: 'Step size, > 0.',
  },
  /** Share of the mean of gradients kept, 0 to 1, below 1. @defaultValue 0.9 */
  beta1: {
    kind: 'number',
    default: 0.9,
    minimum: 0,
    maximum: 0.9999999990686774, // 1 − 2⁻³⁰
    description: 'Share of the mean of gradients kept, 0 to 1, below 1.',
  },
  /** Share of the mean of squares kept, 0 to 1, below 1. @defaultValue 0.999 */
  beta2: {
    kind: 'number',
    default: 0.999,
    minimum: 0,
    maximum: 0.9999999990686774, // 1 − 2⁻³⁰
    description: 'Share of the mean of squares kept, 0 to 1, below 1.',
  },
  /** Added to the root of the mean of squares, > 0. @defaultValue 1e-8 */
  epsilon: {
    kind: 'number',
    default: 1e-8,
    exclusiveMinimum: 0,
    description: 'Added to the root of the mean of squares, > 0.',
  },
  /** Coupled weight decay: `weightDecay · θ` is added to the gradient, >= 0. @defaultValue 0 */
  weightDecay: { kind: 'number', default: 0, minimum: 0, description: 'Coupled decay, >= 0.' },
  /** Decoupled weight decay: θ shrinks by the share `learningRate · decoupledDecay`, as in AdamW, >= 0. @defaultValue 0 */
  decoupledDecay: { kind: 'number', default: 0, minimum: 0, description: 'Decoupled decay, >= 0.' },
} as const;

/** Options of {@link fusedAdam}. */
export interface FusedAdamOptions extends OptionsOf<typeof fusedAdamOptions> {}

/**
 * Makes an Adam optimizer that runs one kernel for each variable:
 *
 * `g = Σ_k w_k g_k + λ θ`, `m ← β₁ m + (1 − β₁) g`, `s ← β₂ s + (1 − β₂) g²`,
 * `θ ← (1 − η λ′) θ − η · m/(1 − β₁ᵗ) / (√(s/(1 − β₂ᵗ)) + ε)`: the function of `tf.train.adam`, and AdamW's with λ′.
 *
 * @param variables - the variables to change, with the names for checkpoints
 * @throws MultigradError `invalid-option` for an option out of its range
 *
 * @remarks A variable that no objective of a step reaches keeps its means; t counts the optimizer's steps, not its own.
 *
 * @example
 * ```ts
 * import { fusedAdam } from '@multigrad/core';
 * import * as tf from '@tensorflow/tfjs-core';
 * import '@tensorflow/tfjs-backend-cpu';
 *
 * const weights = tf.variable(tf.tensor1d([1, -1]), true, 'weights');
 * const optimizer = fusedAdam(new Map([['weights', weights]]), { learningRate: 0.1 });
 * optimizer.applyGradients({ weights: tf.tensor1d([2, -3]) });
 * console.log(weights.arraySync()); // [ 0.90, -0.90 ]
 * optimizer.dispose();
 * ```
 *
 * @see Kingma and Ba, "Adam", ICLR 2015 (https://arxiv.org/abs/1412.6980), algorithm 1; Loshchilov and Hutter,
 * "Decoupled Weight Decay Regularization", ICLR 2019 (https://arxiv.org/abs/1711.05101), algorithm 2
 */
export function fusedAdam(
  variables: NamedVariables,
  options: FusedAdamOptions = {},
): FusedOptimizer {
  const resolved = resolveOptions('fusedAdam', fusedAdamOptions, options);
  const { beta1, beta2, epsilon, decoupledDecay } = resolved;
  const update: UpdateVariable = (variable, [mean, squares], gradient, step) => {
    const { learningRate: rate, weightDecay: decay, iteration } = step;
    const correction1 = 1 - beta1 ** iteration;
    const correction2 = 1 - beta2 ** iteration;
    if (hasKernel('AdamUpdate')) {
      return runKernel(
        'AdamUpdate',
        { variable, mean: mean!, square: squares!, ...namedRows(gradient.rows) },
        {
          weights: gradient.weights,
          learningRate: rate,
          beta1,
          beta2,
          epsilon,
          weightDecay: decay,
          decoupledDecay,
          correction1,
          correction2,
          spent: true,
        },
      ) as [Tensor, Tensor, Tensor];
    }
    return tidy<[Tensor, Tensor, Tensor]>(() => {
      const g = materialise(gradient, variable, decay);
      const m = add(mul(mean!, beta1), mul(g, 1 - beta1));
      const s = add(mul(squares!, beta2), mul(square(g), 1 - beta2));
      const change = div(div(m, correction1), add(sqrt(div(s, correction2)), epsilon));
      const kept = decoupledDecay === 0 ? variable : mul(variable, 1 - rate * decoupledDecay);
      return [sub(kept, mul(change, rate)), m, s];
    });
  };
  return new FusedOptimizer(
    { kind: 'FusedAdam', slots: ['mean', 'square'], options: resolved, update },
    variables,
  );
}
