import { add, mul, type NamedTensorMap, type Variable } from '@tensorflow/tfjs-core';
import { scoped } from '../tape/scoped.ts';

/** `gradient + decay · variable` for each variable that has a gradient; new tensors, null where there is none. */
export function addWeightDecay(
  gradients: NamedTensorMap,
  variables: readonly Variable[],
  decay: number,
): NamedTensorMap {
  return scoped(() => {
    const decayed = variables.map((variable) => {
      const gradient = gradients[variable.name] ?? null;
      return [
        variable.name,
        gradient === null ? null : add(gradient, mul(variable, decay)),
      ] as const;
    });
    return Object.fromEntries(decayed) as NamedTensorMap;
  });
}
