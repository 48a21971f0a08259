import type { NamedParts } from '@multigrad/core';
import type { Variable } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';

/** Variables by names that are the same in every run. */
export type VariablesByName = ReadonlyMap<string, Variable> | Readonly<Record<string, Variable>>;

/** A network of variables of one's own. */
export interface VariableNetwork {
  /** What is trained. */
  readonly variables: VariablesByName;
  /** What forward passes in training change by themselves, such as running means of normalisation layers. @defaultValue none */
  readonly statistics?: VariablesByName;
  /** Named parts, such as encoders: no two of them share a group, and `analyze` looks at each. @defaultValue none; `analyze` looks at the whole */
  readonly parts?: NamedParts;
  /** What `export` writes, by the names of its folders. @defaultValue none */
  readonly models?: Readonly<Record<string, LayersModel>>;
  /** Frees the network. @defaultValue its variables and statistics are freed */
  dispose?(): void;
}

/** A network of `@multigrad/models`. */
export interface PartedNetwork {
  /** The variables that are trained. */
  readonly trainableVariables: readonly Variable[];
  /** All variables by names that are the same in every run. */
  readonly namedVariables: ReadonlyMap<string, Variable>;
  readonly parts: NamedParts;
  readonly model: LayersModel;
  readonly heads: Readonly<Record<string, LayersModel>>;
  readonly encoders?: Readonly<Record<string, LayersModel>>;
  readonly fusion?: LayersModel;
  readonly trunks?: readonly LayersModel[];
  /** Frees the network. */
  dispose(): void;
}

/**
 * What an experiment trains: a `tf.LayersModel`, several by name, a network of `@multigrad/models`, or variables.
 *
 * Weights that are not trainable, such as moving means of batch norm, come along as statistics. Several models are the
 * network's named parts. Whoever opened the experiment frees the network.
 */
export type Network =
  LayersModel | Readonly<Record<string, LayersModel>> | PartedNetwork | VariableNetwork;
