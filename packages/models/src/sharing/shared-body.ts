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

/** What a shared part returns, by task. */
export interface SharedOutputs {
  /** A vector for each task, n × features. */
  readonly features: Readonly<Record<string, SymbolicTensor>>;
  /** What tasks' losses have added for each sample in training, n × 1, where the scheme has a regulariser. */
  readonly penalties?: Readonly<Record<string, SymbolicTensor>>;
}

/** The shared part of a network, from its one input to a vector for each task. */
export type SharedBody = (input: SymbolicTensor) => SharedOutputs;

/** Applies a trunk to an input; returns a vector. */
export function vectorOf(trunk: LayersModel, input: SymbolicTensor): SymbolicTensor {
  return pooled(trunk.name, trunk.apply(input) as SymbolicTensor);
}

/** Features as a vector: those with more axes are averaged over everything but their channels. */
export function pooled(name: string, features: SymbolicTensor): SymbolicTensor {
  if (features.shape.length === 2) return features;
  return new GlobalAverage({ name: `pool/${name}` }).apply(features) as SymbolicTensor;
}
