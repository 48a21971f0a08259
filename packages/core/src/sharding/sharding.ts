import type { Tensor, Variable } from '@tensorflow/tfjs-core';
import type { ParameterGroup } from '../network/groups.ts';
import type { AnyOptimizer } from '../optimizers/optimizer.ts';
import type { Collective } from '../ranks/collective.ts';
import type { Combinations } from '../rows/combination.ts';
import type { Update } from '../update/update.ts';

/** Where a rank's batches lie among those of the others. */
export interface BatchPlace {
  /** Samples before it, of each batch of the step. */
  readonly first: readonly number[];
  /** Samples of all ranks in each batch of the step. */
  readonly total: readonly number[];
}

/** Names the variable that a tensor of a snapshot is a slice for; null for what all ranks have whole. */
export type VariableOf = (name: string) => string | null;

/**
 * Who holds which part of what an optimizer changes: in a process by itself everything is whole, among ranks each holds
 * and updates its slices.
 */
export interface Sharding {
  readonly collective: Collective;
  /** Whether this process by itself has everything that a snapshot holds. */
  readonly whole: boolean;
  /** What forward passes add up with; null where they keep to their own samples. */
  readonly sumNow: ((values: Float64Array) => void) | null;
  /** What the optimizer changes, by the run's names: the variables, or this rank's slices of them, flat. */
  readonly variables: ReadonlyMap<string, Variable>;
  /** The optimizer for these of what the given one was made for. @throws MultigradError `unsupported` */
  optimizerFor(optimizer: AnyOptimizer): AnyOptimizer;
  /** Makes sure, before the first step, that all ranks begin with the same network. */
  begin(): Promise<void>;
  /** @param sizes - samples of each batch of this rank */
  place(sizes: readonly number[]): Promise<BatchPlace>;
  /** Lets an update change the variables, on every rank alike. */
  apply(
    update: Update,
    combinations: Combinations,
    groups: readonly ParameterGroup[],
    step: number,
  ): Promise<void>;
  /** Brings statistics together that each rank followed over its own samples. */
  shareStatistics(): Promise<void>;
  /** Whole tensors for a snapshot in the place of slices; they last until `free`. */
  gather(
    slices: ReadonlyMap<string, Tensor>,
    variableOf: VariableOf,
  ): Promise<ReadonlyMap<string, Tensor>>;
  /** This rank's slices of whole tensors: new tensors, all of them. */
  cut(whole: ReadonlyMap<string, Tensor>, variableOf: VariableOf): ReadonlyMap<string, Tensor>;
  /** Frees what was gathered. */
  free(): void;
  dispose(): void;
}
