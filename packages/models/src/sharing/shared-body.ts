import { MultigradError } from '@multigrad/core/strategy';
import type { LayersModel, SymbolicTensor } from '@tensorflow/tfjs-layers';
import { GlobalAverage } from '../layers/global-average.ts';
import type { Initialisation } from '../weights/initialisation.ts';

/** The network that a sharing scheme is made for, as far as the scheme depends on it. */
export interface SharingSetting {
  readonly tasks: readonly string[];
  /** Whether tasks take maps, for a target at every pixel, in place of vectors. */
  readonly dense: boolean;
  /** Makes (and keeps account of) one trunk. */
  readonly trunk: (name: string) => LayersModel;
  readonly seed: number;
  readonly initialisation: Initialisation;
}

/** What a shared part returns, by task. */
export interface SharedOutputs {
  /** A vector for each task, n × features, or for dense tasks a map, n × height × width × channels. */
  readonly features: Readonly<Record<string, SymbolicTensor>>;
  /** What tasks' losses have added for each sample in training, n × 1, where the scheme has a regulariser. */
  readonly penalties?: Readonly<Record<string, SymbolicTensor>>;
}

/** The shared part of a network, from its one input to a vector for each task. */
export type SharedBody = (input: SymbolicTensor) => SharedOutputs;

/** What a task takes of a trunk's features: maps as they are for dense tasks, else a vector. */
export function taken(
  name: string,
  features: SymbolicTensor,
  { dense }: SharingSetting,
): SymbolicTensor {
  if (!dense) return pooled(name, features);
  if (features.shape.length === 4) return features;
  throw new MultigradError(
    'invalid-option',
    'Option `trunk` of `multiTaskNetwork` should return maps [n, height, width, channels] for tasks with a target at every ' +
      `pixel. Found [${features.shape.map((size) => size ?? 'n').join(', ')}].`,
  );
}

/** @throws MultigradError `unsupported` for dense tasks, whose features no gate can mix */
export function assertVectors(kind: string, { dense }: SharingSetting): void {
  if (!dense) return;
  throw new MultigradError(
    'unsupported',
    `Sharing of kind '${kind}' mixes vectors. Tasks with a target at every pixel share by 'hard', 'cross-stitch', 'mtan' or 'ltb'.`,
  );
}

/** Applies a trunk to an input; returns a vector. */
export function vectorOf(trunk: LayersModel, input: SymbolicTensor): SymbolicTensor {
  return pooled(trunk.name, trunk.apply(input) as SymbolicTensor);
}

/** Features as a vector: those with more axes are averaged over everything but their channels. */
export function pooled(name: string, features: SymbolicTensor): SymbolicTensor {
  if (features.shape.length === 2) return features;
  return new GlobalAverage({ name: `pool/${name}` }).apply(features) as SymbolicTensor;
}
