import type { Gramian } from '../algebra/gramian.ts';
import { cosine, norms } from '../algebra/gramian-of.ts';
import type { SampleWay } from '../samples/sample-gramian.ts';

/** The numbers of one group at one step, such as plots show. */
export interface GroupReport {
  readonly key: string;
  /** The objectives present in the group, in the order of every vector below. */
  readonly objectives: readonly string[];
  /** Euclidean norms of the gradients; null where the strategy did not need them and the step was not observed. */
  readonly norms: readonly number[] | null;
  /**
   * Cosines between the gradients, K × K, in −1 … 1; 0 for a zero gradient. Null where `norms` is null, and for per-sample
   * objectives, whose Gramian is in `samples`.
   */
  readonly cosines: readonly (readonly number[])[] | null;
  /** The weight of each gradient in the update. */
  readonly weights: readonly number[];
  /** Whether two gradients had a negative cosine; null where `norms` is null. */
  readonly conflict: boolean | null;
  /** The note of the strategy, such as `stationary`. */
  readonly note?: string;
  /** The diagnostics of the strategy, numbers by name, such as `lambda`. */
  readonly diagnostics?: Readonly<Record<string, number>>;
  /** For per-sample objectives whose Gramian was computed; absent otherwise. */
  readonly samples?: SampleReport;
}

/** What was measured of the gradients of single samples. */
export interface SampleReport {
  /** The inner products of the samples' gradients over the group's variables. */
  readonly gramian: Gramian;
  /**
   * How they were computed, by variable:
   *
   * - `products`: from inner products of a layer's inputs and of its outputs' gradients; no gradient was made
   * - `gradients`: from the gradients of all samples, some rows of the kernel at a time
   * - `sample by sample`: by a backward step for each sample, as no formula is known for an operation that uses the variable
   */
  readonly ways: Readonly<Record<string, SampleWay>>;
}

/** Computes norms, cosines and conflict from a Gramian. */
export function describeGramian(gramian: Gramian): {
  norms: number[];
  cosines: number[][];
  conflict: boolean;
} {
  const lengths = [...norms(gramian)];
  const cosines = lengths.map((_, i) => lengths.map((__, j) => cosine(gramian, i, j)));
  return { norms: lengths, cosines, conflict: cosines.flat().some((value) => value < 0) };
}
