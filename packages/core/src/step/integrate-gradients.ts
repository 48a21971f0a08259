import type { NamedTensorMap } from '@tensorflow/tfjs-core';
import type { GradientStrategy } from '../contract/strategy.ts';
import { Claim } from '../network/claims.ts';
import type { IntegrationState } from '../network/integration-state.ts';
import { type NamedVariables, runVariables, tensorsOf } from '../network/run-variables.ts';
import {
  type Forward,
  type GroupingOptions,
  groupingOptionNames,
  type IntegratedStep,
  integrateOptionNames,
  type IntegrateOptions,
} from './integrate-options.ts';
import { checkKnownOptions } from '../base/known-options.ts';
import { buildGroups } from './begin.ts';
import { takeStep } from './take-step.ts';

/** One step's integrated gradients. */
export interface IntegratedGradients<Name extends string = string> extends IntegratedStep<Name> {
  /**
   * The update for each variable, by its own name, in the order of `variables`: hand it to `optimizer.applyGradients` and
   * dispose of it afterwards (`tf.dispose(gradients)`).
   *
   * Variables that no objective of this step reached hold `null`, which TensorFlow.js optimizers skip; the name stays
   * in the record because they keep their slots by position. Declare an optimizer as `tf.Optimizer`: the types of some
   * of its kinds are narrower than what they take.
   */
  readonly gradients: NamedTensorMap;
}

/**
 * Runs one forward pass, takes each objective's gradient, and integrates them by a strategy: the update of a group of
 * parameters is `Σ_k w_k g_k` with the weights `w` that the strategy finds from the Gramian `G_ij = ⟨g_i, g_j⟩`.
 *
 * The forward function is called once. The cheapest exact plan is taken: strategies that see no gradients cost one
 * backward pass, others one for each objective, and one asynchronous read-back. Nothing is applied to the variables.
 *
 * @param strategy - how to integrate
 * @param forward - computes the objectives; synchronous, all operations from variables to losses inside. For strategies
 *   whose needs name several `batches` a list of as many functions, one for each independent batch; the losses and
 *   metrics returned are then means over the batches, as are the gradients of groups that one objective reaches
 * @param variables - what to differentiate with respect to; under the names of a map, if it is one, in states and reports
 * @throws MultigradError `invalid-objective`, `unreached-variable`, `non-finite`, `structure-changed`,
 *   `interleaved-call`, `missing-gradients`, `unsupported`; nothing that the step made stays alive then
 *
 * @example
 * ```ts
 * import { integrateGradients, type IntegrationState } from '@multigrad/core';
 * import { pcgrad } from '@multigrad/strategy-pcgrad';
 * import * as tf from '@tensorflow/tfjs-core';
 * import '@tensorflow/tfjs-backend-cpu';
 * import '@tensorflow/tfjs-layers';
 *
 * const shared = tf.variable(tf.tensor1d([1, 2]));
 * const strategy = pcgrad({ seed: 1 });
 * const optimizer = tf.train.sgd(0.1);
 * let state: IntegrationState | undefined;
 * for (let step = 0; step < 3; step += 1) {
 *   const result = await integrateGradients(
 *     strategy,
 *     () => ({
 *       near: tf.sum(tf.square(shared)),
 *       far: tf.sum(tf.square(tf.sub(shared, 3))),
 *     }),
 *     [shared],
 *     { state },
 *   );
 *   state = result.state;
 *   optimizer.applyGradients(result.gradients);
 *   tf.dispose(result.gradients);
 *   console.log(result.losses.near, result.groups[0]?.cosines);
 * }
 * ```
 */
export async function integrateGradients<Name extends string>(
  strategy: GradientStrategy,
  forward: Forward<Name> | readonly Forward<Name>[],
  variables: NamedVariables,
  options: IntegrateOptions<Name> = {},
): Promise<IntegratedGradients<Name>> {
  checkKnownOptions('integrateGradients', options, integrateOptionNames);
  const known = runVariables(variables);
  return Claim.during('integrateGradients', tensorsOf(known), async () => {
    const step = await takeStep(strategy, forward, known, options);
    try {
      const sums = await step.sums();
      // Optimizers find variables by the names that TensorFlow.js knows.
      const byOwnName = known.map(({ name, variable }) => [variable.name, sums.get(name)!]);
      return {
        ...step.result(),
        gradients: Object.fromEntries(byOwnName) as NamedTensorMap,
      };
    } finally {
      step.dispose();
    }
  });
}

/**
 * The state before the first step, from several forward passes: the union of what they reach, where no single batch
 * shows every objective (a data set for each task).
 *
 * @param strategy - how groups are integrated later
 * @param forwards - forward functions as for `integrateGradients`, each called once; their gradients are not taken
 * @throws MultigradError `unreached-variable` when a variable is reached in none of them
 */
export function buildIntegration<Name extends string>(
  strategy: GradientStrategy,
  forwards: readonly Forward<Name>[],
  variables: NamedVariables,
  options: GroupingOptions = {},
): IntegrationState {
  checkKnownOptions('buildIntegration', options, groupingOptionNames);
  return buildGroups(strategy, forwards, runVariables(variables), options);
}
