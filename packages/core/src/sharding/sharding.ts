import type { Tensor, Variable } from '@tensorflow/tfjs-core';
import type { ParameterGroup } from '../network/groups.ts';
import type { AnyOptimizer } from '../optimizers/optimizer.ts';
import type { Collective } from '../ranks/collective.ts';
import type { Combinations } from '../rows/combination.ts';
import type { Modulation } from '../update/modulation.ts';
import type { Update } from '../update/update.ts';

/** The position of a rank's samples among those of all ranks. */
export interface BatchPlace {
  /** For each batch of the step, the number of samples on the ranks before this one. */
  readonly first: readonly number[];
  /** For each batch of the step, the number of samples on all ranks. */
  readonly total: readonly number[];
}

/** Returns the name of the variable that a snapshot's tensor is a slice for; null for what every rank has whole. */
export type VariableOf = (name: string) => string | null;

/** Which ranks get what is gathered. */
export type GatherOn = 'rank 0' | 'every rank';

/**
 * The part of the variables and of the optimizer's slots that this process holds and updates: all of it in a process by
 * itself, its slices among ranks.
 */
export interface Sharding {
  readonly collective: Collective;
  /** Whether this process alone can make a snapshot. */
  readonly whole: boolean;
  /** Adds numbers up over the ranks within a forward pass; null where forward passes see this rank's samples alone. */
  readonly sumNow: ((values: Float64Array) => void) | null;
  /** What the optimizer changes, by variable name: the variables, or this rank's slices of them, flat. */
  readonly variables: ReadonlyMap<string, Variable>;
  /** Returns the optimizer for `variables`: the given one, or one made for slices. @throws MultigradError `unsupported` */
  optimizerFor(optimizer: AnyOptimizer): AnyOptimizer;
  /**
   * Checks before the first step that all ranks have the same options, and gives them the weights of rank 0.
   *
   * @throws MultigradError `structure-changed` where ranks differ, listing what
   */
  begin(): Promise<void>;
  /**
   * Finds the place of this rank's samples.
   *
   * @param batches - those of the step
   * @param sizes - samples of each of them
   * @throws MultigradError `invalid-data` where ranks have parts of different batches, or the same samples
   */
  place(batches: readonly unknown[], sizes: readonly number[]): Promise<BatchPlace>;
  /**
   * Changes the variables by an update; every rank has the same values afterwards.
   *
   * @throws MultigradError `unsupported` for a modulation that changes gradients other than by a factor, among ranks
   */
  apply(
    update: Update,
    combinations: Combinations,
    groups: readonly ParameterGroup[],
    step: number,
    modulations?: ReadonlyMap<string, Modulation | null>,
  ): Promise<void>;
  /** Replaces statistics, which each rank measured on its own samples, by their means over the ranks. */
  shareStatistics(): Promise<void>;
  /** Gathers slices into whole tensors, which live until `free`. Ranks that do not get them get none of these names. */
  gather(
    slices: ReadonlyMap<string, Tensor>,
    variableOf: VariableOf,
    on: GatherOn,
  ): Promise<ReadonlyMap<string, Tensor>>;
  /** The shape of a variable of which this process holds a slice; null for what it holds whole. */
  shapeOf(variable: string): readonly number[] | null;
  /** Cuts whole tensors into this rank's slices; those that are `slices` already are as they are. All of the result are new. */
  cut(
    tensors: ReadonlyMap<string, Tensor>,
    variableOf: VariableOf,
    slices: ReadonlyMap<string, readonly number[]>,
  ): ReadonlyMap<string, Tensor>;
  /** Frees the tensors that `gather` made. */
  free(): void;
  dispose(): void;
}
