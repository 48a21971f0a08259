import type { Gramian } from '../algebra/gramian.ts';
import { cosine, norms } from '../algebra/gramian-of.ts';

/** The numbers of one group at one step, such as plots show. */
export interface GroupReport {
  readonly key: string;
  /** The objectives present in the group, in the order of every vector below. */
  readonly objectives: readonly string[];
  /** Euclidean norms of the gradients; null where the strategy did not need them and the step was not observed. */
  readonly norms: readonly number[] | null;
  /** Cosines between the gradients, K × K, in −1 … 1; 0 for a zero gradient. Null where `norms` is null. */
  readonly cosines: readonly (readonly number[])[] | null;
  /** The weight of each gradient in the update. */
  readonly weights: readonly number[];
  /** Whether two gradients had a negative cosine; null where `norms` is null. */
  readonly conflict: boolean | null;
  /** The note of the strategy, such as `stationary`. */
  readonly note?: string;
  /** The diagnostics of the strategy, numbers by name, such as `lambda`. */
  readonly diagnostics?: Readonly<Record<string, number>>;
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
