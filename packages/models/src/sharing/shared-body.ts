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

/**
 * A trunk put to an input, as a vector: what is no vector is averaged over everything but its channels.
 */
export function vectorOf(trunk: LayersModel, input: SymbolicTensor): SymbolicTensor {
  const output = trunk.apply(input) as SymbolicTensor;
  if (output.shape.length === 2) return output;
  return new GlobalAverage({ name: `pool/${trunk.name}` }).apply(output) as SymbolicTensor;
}
