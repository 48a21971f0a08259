import { add, mul, type Tensor, type Variable } from '@tensorflow/tfjs-core';
import type { NamedGradients } from '../rows/clip-gradients.ts';
import { scoped } from '../tape/ownership.ts';

/** `gradient + decay · variable` for each variable that has a gradient; new tensors, null where there is none. */
export function addWeightDecay(
  gradients: NamedGradients,
  variables: ReadonlyMap<string, Variable>,
  decay: number,
): NamedGradients {
  const decayed = scoped(() =>
    Array.from(variables, ([name, variable]): [string, Tensor | null] => {
      const gradient = gradients.get(name) ?? null;
      return [name, gradient === null ? null : add(gradient, mul(variable, decay))];
    }),
  );
  return new Map(decayed);
}
