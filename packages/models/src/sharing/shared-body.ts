import type { LayersModel, SymbolicTensor } from '@tensorflow/tfjs-layers';
import { GlobalAverage } from '../layers/global-average.ts';
import type { Initialisation } from '../weights/initialisation.ts';

/** The network that a sharing scheme is made for, as far as the scheme depends on it. */
export interface SharingSetting {
  readonly tasks: readonly string[];
  /** Makes (and keeps account of) one trunk. */
  readonly trunk: (name: string) => LayersModel;
  readonly seed: number;
  readonly initialisation: Initialisation;
}

/** The shared part of a network, from its one input to a vector for each task. */
export type SharedBody = (input: SymbolicTensor) => Readonly<Record<string, SymbolicTensor>>;

/** Applies a trunk to an input; returns a vector. */
export function vectorOf(trunk: LayersModel, input: SymbolicTensor): SymbolicTensor {
  return pooled(trunk.name, trunk.apply(input) as SymbolicTensor);
}

/** Features as a vector: those with more axes are averaged over everything but their channels. */
export function pooled(name: string, features: SymbolicTensor): SymbolicTensor {
  if (features.shape.length === 2) return features;
  return new GlobalAverage({ name: `pool/${name}` }).apply(features) as SymbolicTensor;
}
