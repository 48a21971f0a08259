import type { Json } from '../base/json.ts';

/** One rank's part of a batch that several ranks share out among them; of a process by itself, the whole batch. */
export interface BatchShare {
  /** Number of the part's first sample in the whole batch, from 0: dropout draws the mask of the whole batch by it. */
  readonly firstSample: number;
  /**
   * Replaces numbers by their sums over all ranks, in place; every rank calls it at the same points of its forward pass.
   * Batch norm takes the samples of all ranks by it. Null where each rank normalises by its own samples.
   */
  readonly sumNow: ((values: Float64Array) => void) | null;
}

/** A row of numbers that several ranks add up: every rank hands in rows of the same sizes in the same order. */
export interface ExchangedRow {
  readonly size: number;
  /** This rank's numbers, read when their turn comes; null for zeros. */
  readonly read: () => Promise<Float32Array | null>;
}

/**
 * What ranks (processes that train one network together, each with its share of every batch) tell each other within a
 * step. `@multigrad/distributed` makes one of a communicator; a process by itself needs none.
 *
 * All methods are collective: every rank calls the same ones in the same order, and they fail on all ranks or on none.
 */
export interface GradientExchange {
  /** Number of this rank, 0 to `size − 1`. */
  readonly rank: number;
  /** Number of ranks, an integer >= 1. */
  readonly size: number;
  /** Each rank's value, by rank, on every rank. */
  gather<T extends Json>(what: string, value: T): Promise<readonly T[]>;
  /** Rank 0's value on every rank. */
  fromRoot<T extends Json>(what: string, value: T | null): Promise<T>;
  /** Sums over the ranks, in float64: the same bits on every rank. */
  sum(values: Float64Array): Promise<Float64Array>;
  /** The same in place and without giving up the thread, within a forward pass; null where that cannot be done. */
  readonly sumNow: ((values: Float64Array) => void) | null;
  /** Of the sums of rows over the ranks this rank's slices, as `sliceOf` cuts them. */
  reduceScatter(rows: readonly ExchangedRow[]): Promise<readonly Float32Array[]>;
  /** Whole rows of the given sizes, from each rank's slices of them. */
  allGather(
    slices: readonly Float32Array[],
    sizes: readonly number[],
  ): Promise<readonly Float32Array[]>;
  /** Rank 0's numbers in the place of those of the other ranks. */
  broadcast(values: Float32Array): Promise<void>;
}

/** A rank's part of a row: positions `begin` to `end − 1`. */
export interface Slice {
  readonly begin: number;
  readonly end: number;
}

/**
 * The part of `size` things that is a rank's: as many as the other ranks have, or one more or less, in the order of the
 * ranks; rank 0 has none only where there is nothing.
 *
 * @example
 * ```ts
 * import { sliceOf } from '@multigrad/core';
 *
 * console.log(sliceOf(5, 0, 2), sliceOf(5, 1, 2)); // { begin: 0, end: 3 } { begin: 3, end: 5 }
 * ```
 */
export function sliceOf(size: number, rank: number, ranks: number): Slice {
  return { begin: Math.ceil((size * rank) / ranks), end: Math.ceil((size * (rank + 1)) / ranks) };
}
