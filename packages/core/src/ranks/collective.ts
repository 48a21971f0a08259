import type { Tensor } from '@tensorflow/tfjs-core';
import type { Json } from '../base/json.ts';
import type { TensorBag } from '../tape/ownership.ts';
import type { Slice } from './gradient-exchange.ts';

/**
 * Sums of rows over the ranks, which are sent while further rows are still being computed. Every rank adds rows of the same
 * sizes in the same order.
 */
export interface RowSums {
  /**
   * Takes this rank's row, null where it has none. A row that goes to other ranks is freed once it has been read.
   *
   * @param size - how many numbers the row has, the same on every rank
   */
  add(row: Tensor | null, size: number): Promise<void>;
  /** Sends what has not been sent: no further row will come for a while. */
  flush(): Promise<void>;
  /** This rank's slices of the sums, flat, in the order of the rows. A process by itself gets its rows back. */
  end(): Promise<readonly (Tensor | null)[]>;
}

/** This rank's part of a tensor, flat; the whole tensor in a process by itself. */
export interface TensorSlice {
  readonly slice: Tensor;
  readonly shape: readonly number[];
}

/** A question that each rank answers for itself, and the rule that merges the answers. */
export interface Views<View extends Json, T> {
  /** This rank's answer, as JSON. */
  readonly view: () => View | Promise<View>;
  /** Merges the answers of all ranks, in the order of the ranks. */
  readonly merge: (views: readonly View[]) => T;
  /** The merged answer in a process by itself. */
  readonly alone: () => T;
}

/** How a value becomes JSON, and how it is made again from it. */
export interface JsonForm<T> {
  readonly toJson: (value: T) => Json;
  readonly fromJson: (json: Json) => T;
}

/** A wish of any rank that all ranks follow, such as to stop. */
export interface Heeded<T> {
  /** The wish that all ranks follow now; null for none. Among ranks a new wish counts from the next `tell` on. */
  current(): T | null;
  /** Exchanges the wishes; every rank must call it. */
  tell(): Promise<void>;
}

/**
 * Communication between ranks, the processes that train one network together. For a process by itself there is `solo`, which
 * returns its inputs, so no other code asks whether there are several ranks.
 *
 * Every rank must make the same calls in the same order. A call fails on all ranks or on none.
 */
export interface Collective {
  /** Number of this rank, 0 to `size − 1`. */
  readonly rank: number;
  /** Number of ranks. */
  readonly size: number;
  /** Replaces values by their sums over the ranks, synchronously; null in a process by itself and where it is not possible. */
  readonly sumNow: ((values: Float64Array) => void) | null;
  /** Runs `work` on every rank, and returns the values of all ranks, by rank. */
  fromEach<T extends Json>(what: string, work: () => T | Promise<T>): Promise<readonly T[]>;
  /** Runs `work` on rank 0 alone, and returns its value on every rank. */
  fromFirst<T>(what: string, work: () => T | Promise<T>, form: JsonForm<T>): Promise<T>;
  /**
   * Lets all ranks follow a wish of any of them.
   *
   * @param own - the wish of this rank; null for none
   * @param wishes - all possible wishes, the most important first: of several it counts
   */
  heed<T extends string>(what: string, own: () => T | null, wishes: readonly T[]): Heeded<T>;
  /** Merges the answers of all ranks to one question. */
  agree<View extends Json, T>(what: string, views: Views<View, T>): Promise<T>;
  /** Sums of values over the ranks, in float64. */
  sum(values: Float64Array): Promise<Float64Array>;
  /** Whether rows are summed between backward passes, so that these cannot be run as one. */
  readonly awaitsRows: boolean;
  /** Begins sums of rows over the ranks. @param bag - owns the rows that are added, and the slices that come out */
  sumRows(bag: TensorBag): RowSums;
  /** Puts the slices of all ranks together into whole tensors. A process by itself gets its tensors back. */
  wholeRows(slices: readonly TensorSlice[]): Promise<readonly Tensor[]>;
  /** This rank's range in a row of this size. */
  sliceOf(size: number): Slice;
}
