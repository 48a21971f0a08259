import { integrateGradients, type IntegrateOptions, type Objectives } from '@multigrad/core';
import * as tf from '@tensorflow/tfjs-core';
import { expect } from 'vitest';
import { only } from './only.ts';

/**
 * Expects each objective's gradient, from a backward pass over one forward pass of all, to equal to the last bit what
 * `tf.variableGrads` computes of that objective alone.
 */
export async function expectExactGradients(
  losses: () => Objectives,
  variables: readonly tf.Variable[],
  options: IntegrateOptions = {},
): Promise<void> {
  const names = tf.tidy(() => Object.keys(losses()));
  for (const name of names) {
    const weighted = { ...options, singles: 'weighted' } as const;
    const { gradients } = await integrateGradients(only(name), losses, variables, weighted);
    const alone = () => losses()[name] as tf.Scalar;
    const expected = tf.variableGrads(alone, [...variables]);
    let largest = 0;
    for (const variable of variables) {
      const reference = (expected.grads[variable.name] as tf.Tensor | null | undefined)?.dataSync();
      const found = (gradients[variable.name] as tf.Tensor | null)?.dataSync();
      if (reference === undefined) {
        // Not reached by this objective.
        expect(found?.every((value) => value === 0) ?? true, variable.name).toBe(true);
        continue;
      }
      expect(found, `${name}: ${variable.name}`).toHaveLength(reference.length);
      // Not `toEqual`, which takes minutes for millions of numbers.
      const different = reference.findIndex((value, i) => !Object.is(value, found![i]));
      expect(different, `${name}: ${variable.name}, first difference`).toBe(-1);
      for (const value of reference) largest = Math.max(largest, Math.abs(value));
    }
    // Equal zeros would prove nothing.
    expect(largest).toBeGreaterThan(1e-4);
    tf.dispose([gradients, expected.grads, expected.value]);
  }
}
