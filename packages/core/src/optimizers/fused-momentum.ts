import { add, mul, sub, type Tensor, tidy } from '@tensorflow/tfjs-core';
import { hasKernel, runKernel } from '../kernels/run-kernel.ts';
import type { OptionsOf } from '../plugin/options.ts';
import { resolveOptions } from '../plugin/options-resolve.ts';
import type { NamedVariables } from '../network/run-variables.ts';
import { materialise, namedRows } from '../rows/combination.ts';
import { FusedOptimizer, type UpdateVariable } from './fused-optimizer.ts';

/** Descriptions of the options of {@link fusedMomentum}. */
const fusedMomentumOptions = {
  /** Step size, > 0. @defaultValue 0.01 */
  learningRate: {
    kind: 'number',
    default: 0.01,
    exclusiveMinimum: 0,
    description: 'Step size, > 0.',
  },
  /** Share of the velocity kept, 0 to 1; 0 is plain SGD. @defaultValue 0.9 */
  momentum: {
    kind: 'number',
    default: 0.9,
    minimum: 0,
    maximum: 1,
    description: 'Share of the velocity kept, 0 to 1; 0 is plain SGD.',
  },
  /** Whether to use Nesterov's momentum. @defaultValue false */
  nesterov: {
    kind: 'boolean',
    default: false,
    description: 'Whether to look ahead along the velocity.',
  },
  /** Coupled weight decay: `weightDecay · θ` is added to the gradient, as in PyTorch's SGD, >= 0. @defaultValue 0 */
  weightDecay: {
    kind: 'number',
    default: 0,
    minimum: 0,
    description: 'Coupled weight decay, >= 0.',
  },
} as const;

/** Options of {@link fusedMomentum}. */
export interface FusedMomentumOptions extends OptionsOf<typeof fusedMomentumOptions> {}

/**
 * Makes an optimizer of stochastic gradient descent with momentum that runs one kernel for each variable:
 *
 * `g = Σ_k w_k g_k + λ θ`, `v ← μ v + g`, `θ ← θ − η v` (with Nesterov's momentum `θ ← θ − η (g + μ v)`):
 * the formula of `tf.train.momentum`, computed from the strategy's weights and the objectives' gradients at once.
 *
 * @param variables - the variables to change, with the names for checkpoints
 * @throws MultigradError `invalid-option` for an option out of its range
 *
 * @example
 * ```ts
 * import { fusedMomentum, MultiObjectiveTrainer } from '@multigrad/core';
 * import { mmpareto } from '@multigrad/strategy-mmpareto';
 * import * as tf from '@tensorflow/tfjs-core';
 * import '@tensorflow/tfjs-backend-cpu';
 * import '@tensorflow/tfjs-layers';
 *
 * const shared = tf.variable(tf.tensor1d([1, 2]));
 * const optimizer = fusedMomentum([shared], { learningRate: 0.1, momentum: 0.5 });
 * const trainer = new MultiObjectiveTrainer({
 *   objectives: ({ target }: { target: tf.Tensor1D }) => ({
 *     near: tf.sum(tf.square(shared)),
 *     far: tf.sum(tf.square(tf.sub(shared, target))),
 *   }),
 *   variables: [shared],
 *   strategy: mmpareto(),
 *   optimizer,
 * });
 * await trainer.trainOnBatch({ target: tf.tensor1d([3]) });
 * console.log(optimizer.snapshot().tensors.size); // 1
 * optimizer.dispose();
 * ```
 */
export function fusedMomentum(
  variables: NamedVariables,
  options: FusedMomentumOptions = {},
): FusedOptimizer {
  const resolved = resolveOptions('fusedMomentum', fusedMomentumOptions, options);
  const { momentum, nesterov } = resolved;
  const update: UpdateVariable = (variable, [velocity], gradient, step) => {
    const inputs = { variable, velocity: velocity! };
    const { learningRate: rate, weightDecay: decay } = step;
    if (hasKernel('MomentumUpdate')) {
      return runKernel(
        'MomentumUpdate',
        { ...inputs, ...namedRows(gradient.rows) },
        {
          weights: gradient.weights,
          learningRate: rate,
          momentum,
          weightDecay: decay,
          nesterov,
          spent: true,
        },
      ) as [Tensor, Tensor];
    }
    return tidy<[Tensor, Tensor]>(() => {
      const g = materialise(gradient, variable, decay);
      const v = add(mul(velocity!, momentum), g);
      const direction = nesterov ? add(g, mul(v, momentum)) : v;
      return [sub(variable, mul(direction, rate)), v];
    });
  };
  return new FusedOptimizer(
    { kind: 'FusedMomentum', slots: ['velocity'], options: resolved, update },
    variables,
  );
}
