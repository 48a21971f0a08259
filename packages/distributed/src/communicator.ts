/** Numbers that ranks add up or send. */
export type Numbers = Float32Array | Float64Array;

/** Data that ranks send. */
export type Payload = Numbers | Uint8Array;

/** How the ranks' numbers are combined. */
export type Reduction = 'sum' | 'max';

/**
 * Ranks that work together: processes started by `mpirun`, a process by itself, or several in one process for tests.
 *
 * All methods but `abort` are collective: every rank calls the same ones in the same order with counts that fit, and none
 * returns before the others have called. A call may be made while an earlier one is under way: calls are exchanged in the
 * order in which they were made. Only `allGatherNow` has to wait until no other call is under way.
 */
export interface Communicator {
  /** Name of the implementation, such as `open-mpi`. */
  readonly kind: string;
  /** Number of this rank, 0 to `size − 1`. */
  readonly rank: number;
  /** Number of ranks, an integer >= 1. */
  readonly size: number;
  /** Says what the next calls are for: a message about a rank that does not come names it. */
  nextCall(purpose: string): void;
  /** Replaces the numbers by their sums (or largest values) over the ranks. Bits may differ from rank to rank. */
  allReduce(values: Numbers, reduction?: Reduction): Promise<void>;
  /**
   * Adds up over the ranks, and gives each rank its part.
   *
   * @param values - the parts one after the other, by rank; taken over: the caller may not use the array afterwards
   * @param counts - of numbers in each rank's part; the same on every rank
   * @returns this rank's part of the sums
   */
  reduceScatter(values: Float32Array, counts: readonly number[]): Promise<Float32Array>;
  /**
   * Sends each rank a part.
   *
   * @param values - the parts one after the other, by the rank that gets them; taken over as by `reduceScatter`
   * @param counts - of elements in the part for each rank; the same on every rank
   * @returns the parts for this rank, by the rank that sent them
   */
  allToAll<T extends Payload>(values: T, counts: readonly number[]): Promise<T>;
  /**
   * Puts the ranks' parts together on every rank.
   *
   * @param part - this rank's
   * @param counts - of elements in each rank's part; the same on every rank
   * @returns the parts one after the other, by rank
   */
  allGather<T extends Payload>(part: T, counts: readonly number[]): Promise<T>;
  /** Replaces the values of all ranks by those of one rank. */
  broadcast(values: Payload, root?: number): Promise<void>;
  /** Returns when every rank has called it. */
  barrier(): Promise<void>;
  /**
   * Synchronous `allGather` of as many numbers from every rank, for use within a forward pass; null where that is not possible.
   */
  readonly allGatherNow: ((values: Float64Array) => Float64Array) | null;
  /** Ends all ranks, this one included where it is a process of its own, with an exit code of 1 to 255. */
  abort(exitCode: number): void;
  /** Leaves the other ranks: the last call, on every rank. */
  close(): Promise<void>;
}
