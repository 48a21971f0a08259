import type { Json } from '../base/json.ts';

/** One rank's part of a batch that several ranks share out among them; of a process by itself, the whole batch. */
export interface BatchShare {
  /** Number of the part's first sample in the whole batch, from 0: dropout draws the mask of the whole batch by it. */
  readonly firstSample: number;
  /** Number of samples in the whole batch. */
  readonly totalSamples?: number;
  /**
   * Replaces numbers by their sums over all ranks, in place; every rank calls it at the same points of its forward pass.
   * Batch norm takes the samples of all ranks by it. Null where each rank normalises by its own samples.
   */
  readonly sumNow: ((values: Float64Array) => void) | null;
}

/**
 * Sums of rows over the ranks, which are sent while further rows are still being computed. Every rank adds rows of the same
 * sizes in the same order.
 */
export interface ExchangedSums {
  /**
   * Takes this rank's numbers; null stands for zeros. Resolves when further rows may come.
   *
   * @param values - taken over: they may not change afterwards
   * @param size - how many numbers the row has, the same on every rank
   */
  add(values: Float32Array | null, size: number): Promise<void>;
  /** Sends what has not been sent: no further row will come for a while. */
  flush(): Promise<void>;
  /** This rank's slice of each sum, as `sliceOf` cuts it, in the order of the rows. */
  end(): Promise<readonly Float32Array[]>;
}

/**
 * The exchange of numbers between ranks: processes that train one network together, each with its share of every batch.
 * `@multigrad/distributed` makes one from a communicator; a process by itself needs none.
 *
 * All methods are collective: every rank calls the same ones in the same order, and each fails on all ranks or on none.
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
  /** Replaces values by their sums over the ranks, synchronously, for use in a forward pass; null where it is not possible. */
  readonly sumNow: ((values: Float64Array) => void) | null;
  /** Begins sums of rows over the ranks. Other calls may be made before they end. */
  sumRows(): ExchangedSums;
  /**
   * Puts each rank's slices together into whole rows of the given sizes, on every rank.
   *
   * @param take - gets the whole rows in their order, each as soon as it is there
   */
  allGather(
    slices: readonly Float32Array[],
    sizes: readonly number[],
    take: (values: Float32Array, index: number) => void,
  ): Promise<void>;
  /**
   * As `allGather`, but on rank 0 alone, so that no other rank needs memory for whole rows.
   *
   * @param take - called on rank 0 alone
   */
  gatherToRoot(
    slices: readonly Float32Array[],
    sizes: readonly number[],
    take: (values: Float32Array, index: number) => void,
  ): Promise<void>;
  /** Replaces the numbers of every other rank by those of rank 0. */
  broadcast(values: Float32Array): Promise<void>;
}

/** A rank's part of a row: positions `begin` to `end − 1`. */
export interface Slice {
  readonly begin: number;
  readonly end: number;
}

/**
 * The part of a row of `size` numbers that belongs to a rank. Parts follow each other in the order of the ranks, and their
 * sizes differ by one at most; rank 0 has one of the largest.
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
