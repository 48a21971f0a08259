import type { ErrorCode } from '../base/errors.ts';
import { MultigradError } from '../base/errors.ts';
import type { Json } from '../base/json.ts';

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

/** This rank's slice of a whole tensor's numbers, flat. */
export function sliceFlat(
  values: Float32Array,
  { rank, size }: Pick<GradientExchange, 'rank' | 'size'>,
): Float32Array {
  const { begin, end } = sliceOf(values.length, rank, size);
  return values.subarray(begin, end);
}

/** What became of some work on one rank, as JSON. */
type Outcome<T extends Json> =
  | { readonly value: T }
  | { readonly error: { readonly code: ErrorCode | null; readonly message: string } };

/** Does some work, and takes down what it threw. */
async function attempt<T extends Json>(
  work: () => T | Promise<T>,
): Promise<{ readonly outcome: Outcome<T>; readonly error: Error | null }> {
  try {
    return { outcome: { value: await work() }, error: null };
  } catch (error) {
    const thrown = error instanceof Error ? error : new Error(String(error));
    const code = MultigradError.isInstance(thrown) ? thrown.code : null;
    return { outcome: { error: { code, message: thrown.message } }, error: thrown };
  }
}

function errorOf(
  { code, message }: { readonly code: ErrorCode | null; readonly message: string },
  rank: number,
): Error {
  const text = `Rank ${rank}: ${message}`;
  return code === null ? new Error(text) : new MultigradError(code, text);
}

/**
 * Work that every rank does for itself and that all must have done: each rank's value by rank.
 *
 * @throws on every rank where it threw on one: its own error on that rank, elsewhere one that names the rank
 */
export async function fromEach<T extends Json>(
  exchange: GradientExchange,
  what: string,
  work: () => T | Promise<T>,
): Promise<readonly T[]> {
  const own = await attempt(work);
  const outcomes = await exchange.gather<Json>(what, own.outcome);
  if (own.error !== null) throw own.error;
  return outcomes.map((given, rank) => {
    const outcome = given as unknown as Outcome<T>;
    if ('error' in outcome) throw errorOf(outcome.error, rank);
    return outcome.value;
  });
}

/**
 * Work that rank 0 does for all.
 *
 * @throws on every rank what it threw on rank 0
 */
export async function fromRoot<T extends Json>(
  exchange: GradientExchange,
  what: string,
  work: () => T | Promise<T>,
): Promise<T> {
  const own = exchange.rank === 0 ? await attempt(work) : null;
  const given = await exchange.fromRoot<Json>(what, own?.outcome ?? null);
  if (own !== null && own.error !== null) throw own.error;
  const outcome = given as unknown as Outcome<T>;
  if ('error' in outcome) throw errorOf(outcome.error, 0);
  return outcome.value;
}
