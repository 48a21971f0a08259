import type { LayersModel, SymbolicTensor } from '@tensorflow/tfjs-layers';
import { GlobalAverage } from '../layers/global-average.ts';
import type { Initialisation } from '../weights/initialisation.ts';

/** What a sharing scheme is told of the network that it is made for. */
export interface SharingSetting {
  readonly tasks: readonly string[];
  /** Makes (and keeps account of) one trunk. */
  readonly trunk: (name: string) => LayersModel;
  readonly seed: number;
  readonly initialisation: Initialisation;
}

/** The shared part of a network, from its one input to a vector for each task. */
export type SharedBody = (input: SymbolicTensor) => Readonly<Record<string, SymbolicTensor>>;

/** A trunk put to an input, as a vector. */
export function vectorOf(trunk: LayersModel, input: SymbolicTensor): SymbolicTensor {
  return pooled(trunk.name, trunk.apply(input) as SymbolicTensor);
}

/** Features as a vector: what is none is averaged over everything but its channels. */
export function pooled(name: string, features: SymbolicTensor): SymbolicTensor {
  if (features.shape.length === 2) return features;
  return new GlobalAverage({ name: `pool/${name}` }).apply(features) as SymbolicTensor;
}
