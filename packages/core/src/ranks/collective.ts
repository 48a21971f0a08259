import type { Tensor } from '@tensorflow/tfjs-core';
import type { Json } from '../base/json.ts';
import type { Slice } from './gradient-exchange.ts';

/** A row of numbers that the ranks add up; null where this rank has none. */
export interface SharedRow {
  readonly row: Tensor | null;
  /** Numbers in it on every rank. */
  readonly size: number;
}

/** This rank's part of a tensor, flat; the whole tensor in a process by itself. */
export interface TensorSlice {
  readonly slice: Tensor;
  readonly shape: readonly number[];
}

/** How each rank sees something, and what all of them make of it. */
export interface Views<View extends Json, T> {
  /** This rank's view, as JSON. */
  readonly view: () => View | Promise<View>;
  /** What the views of all ranks, in their order, come to. */
  readonly merge: (views: readonly View[]) => T;
  /** The same in a process by itself, whose view nobody has to be told. */
  readonly alone: () => T;
}

/** A value as JSON, and back. */
export interface JsonForm<T> {
  readonly toJson: (value: T) => Json;
  readonly fromJson: (json: Json) => T;
}

/** Something that one rank may want and all then heed. */
export interface Heeded<T> {
  /** What is wanted, as far as all ranks know: in a process by itself at once, among ranks after `tell`. */
  current(): T | null;
  /** Lets the ranks tell each other; all of them call it. */
  tell(): Promise<void>;
}

/**
 * What the processes that train one network, the ranks, ask of each other within a step. A process by itself is `solo`,
 * which hands back what it is given: nobody else asks whether there are several.
 *
 * Every rank makes the same calls in the same order; each fails on all ranks or on none.
 */
export interface Collective {
  /** Number of this rank, 0 to `size − 1`. */
  readonly rank: number;
  /** Number of ranks. */
  readonly size: number;
  /** Sums over the ranks in place, without giving up the thread; null where that cannot be done or need not be. */
  readonly sumNow: ((values: Float64Array) => void) | null;
  /** What every rank does for itself and all must have done: each rank's value, by rank. */
  fromEach<T extends Json>(what: string, work: () => T | Promise<T>): Promise<readonly T[]>;
  /** What rank 0 does for all. */
  fromFirst<T>(what: string, work: () => T | Promise<T>, form: JsonForm<T>): Promise<T>;
  /**
   * Follows something that any rank may want.
   *
   * @param own - what this rank wants; null for nothing
   * @param wishes - all that can be wanted: of several the one that comes first here counts
   */
  heed<T extends string>(what: string, own: () => T | null, wishes: readonly T[]): Heeded<T>;
  /** What all ranks make of what each of them sees. */
  agree<View extends Json, T>(what: string, views: Views<View, T>): Promise<T>;
  /** Sums over the ranks, in float64. */
  sum(values: Float64Array): Promise<Float64Array>;
  /** Sums of rows over the ranks: this rank's slices of them, flat. A process by itself gets the rows themselves. */
  sumRows(rows: readonly SharedRow[]): Promise<readonly (Tensor | null)[]>;
  /** Whole tensors of all ranks' slices of them. A process by itself gets the tensors themselves. */
  wholeRows(slices: readonly TensorSlice[]): Promise<readonly Tensor[]>;
  /** Which numbers of a row of this size are this rank's. */
  sliceOf(size: number): Slice;
}
