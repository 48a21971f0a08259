import { layers, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { Mixture } from '../layers/mixture.ts';
import { SeededLayers } from '../weights/seeded-layers.ts';
import { assertVectors, type SharingSetting, vectorOf } from './shared-body.ts';

/** What gates mix, and what they look at. */
export interface Experts {
  /** Makes the layers of gates. */
  readonly make: SeededLayers;
  /** The vector of each expert, n × features. */
  readonly vectors: readonly SymbolicTensor[];
  /** The input as one vector for each sample. */
  readonly x: SymbolicTensor;
}

/**
 * Trunks as experts that every task's gate mixes.
 *
 * @param kind - the scheme, for messages
 * @returns the experts of an input
 * @throws MultigradError `unsupported` for dense tasks
 */
export function expertsOf(
  kind: string,
  setting: SharingSetting,
  count: number,
): (input: SymbolicTensor) => Experts {
  assertVectors(kind, setting);
  const { trunk, seed, initialisation } = setting;
  const experts = Array.from({ length: count }, (_, e) => trunk(`expert${e + 1}`));
  return (input) => {
    const make = new SeededLayers('gate', seed, initialisation);
    const vectors = experts.map((expert) => vectorOf(expert, input));
    return { make, vectors, x: flat(make, input) };
  };
}

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
