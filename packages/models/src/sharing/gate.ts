import { layers, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { Mixture } from '../layers/mixture.ts';
import type { SeededLayers } from '../weights/seeded-layers.ts';

/** The mixture of experts by a softmax gate on `x`: `Σ_e softmax(W x + b)_e · f_e`. Weights are called `<gate>/kernel`. */
export function gatedMixture(
  make: SeededLayers,
  gate: string,
  x: SymbolicTensor,
  experts: readonly SymbolicTensor[],
): SymbolicTensor {
  const weights = make.dense(gate, x.shape[1]!, experts.length, 'softmax').apply(x);
  const mixture = new Mixture({ name: make.name(`${gate}/mixture`) });
  return mixture.apply([weights as SymbolicTensor, ...experts]) as SymbolicTensor;
}

/** A sample as one vector, for gates. */
export function flat(make: SeededLayers, input: SymbolicTensor): SymbolicTensor {
  if (input.shape.length === 2) return input;
  return layers.flatten({ name: make.name('flatten') }).apply(input) as SymbolicTensor;
}
