import type { Gramian } from '../algebra/gramian.ts';
import { cosine, norms } from '../algebra/gramian-of.ts';

/** What happened in one group at one step: the numbers from which plots are drawn. */
export interface GroupReport {
  readonly key: string;
  /** The objectives present in the group, in the order of every vector below. */
  readonly objectives: readonly string[];
  /** Euclidean norms of the gradients; null where the strategy did not need them and the step was not observed. */
  readonly norms: readonly number[] | null;
  /** Cosines between the gradients, K × K, in −1 … 1; 0 beside a zero gradient. Null as `norms`. */
  readonly cosines: readonly (readonly number[])[] | null;
  /** What each gradient was multiplied with. */
  readonly weights: readonly number[];
  /** Whether two gradients had a negative cosine; null as `norms`. */
  readonly conflict: boolean | null;
  /** The strategy's own word, such as `stationary`. */
  readonly note?: string;
  /** The strategy's own numbers, such as `lambda`. */
  readonly diagnostics?: Readonly<Record<string, number>>;
}

/** Norms, cosines and conflict of a Gramian. */
export function describeGramian(gramian: Gramian): {
  norms: number[];
  cosines: number[][];
  conflict: boolean;
} {
  const lengths = [...norms(gramian)];
  const cosines = lengths.map((_, i) => lengths.map((__, j) => cosine(gramian, i, j)));
  return { norms: lengths, cosines, conflict: cosines.flat().some((value) => value < 0) };
}
