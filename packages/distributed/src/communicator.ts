/** Numbers that ranks add up or hand round. */
export type Numbers = Float32Array | Float64Array;

/** What ranks hand round. */
export type Payload = Numbers | Uint8Array;

/** What becomes of numbers that meet. */
export type Reduction = 'sum' | 'max';

/**
 * Ranks that work together: processes started by `mpirun`, a process by itself, or several in one process for tests.
 *
 * All methods but `abort` are collective: every rank calls the same ones in the same order with counts that fit, and none
 * returns before the others have called. One call of a rank ends before its next begins.
 */
export interface Communicator {
  /** What it is made of, such as `open-mpi`. */
  readonly kind: string;
  /** Number of this rank, 0 to `size − 1`. */
  readonly rank: number;
  /** Number of ranks, an integer >= 1. */
  readonly size: number;
  /** Puts the sums (or largest values) over the ranks in the place of the numbers. Bits may differ from rank to rank. */
  allReduce(values: Numbers, reduction?: Reduction): Promise<void>;
  /**
   * Adds up over the ranks, and gives each rank its part.
   *
   * @param values - the parts one after the other, by rank
   * @param counts - of numbers in each rank's part; the same on every rank
   * @returns this rank's part of the sums
   */
  reduceScatter(values: Float32Array, counts: readonly number[]): Promise<Float32Array>;
  /**
   * Puts the ranks' parts together on every rank.
   *
   * @param part - this rank's
   * @param counts - of elements in each rank's part; the same on every rank
   * @returns the parts one after the other, by rank
   */
  allGather<T extends Payload>(part: T, counts: readonly number[]): Promise<T>;
  /** Puts the values of one rank in the place of those of the others. */
  broadcast(values: Payload, root?: number): Promise<void>;
  /** Returns when every rank has come here. */
  barrier(): Promise<void>;
  /** `allReduce` of sums without giving up the thread, for what happens within a forward pass; null where it cannot be. */
  readonly allReduceNow: ((values: Float64Array) => void) | null;
  /** `broadcast` of rank 0's numbers in the same manner. */
  readonly broadcastNow: ((values: Float64Array) => void) | null;
  /** Ends all ranks, this one included where it is a process of its own, with an exit code of 1 to 255. */
  abort(exitCode: number): void;
  /** Lets go of the others: the last call, on every rank. */
  close(): Promise<void>;
}
