import type { Gramian } from '../strategy/gramian.ts';

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
export function describeGramian({ size, values }: Gramian): {
  norms: number[];
  cosines: number[][];
  conflict: boolean;
} {
  const norms = Array.from({ length: size }, (_, k) => Math.sqrt(values[k * size + k]!));
  let conflict = false;
  const cosines = norms.map((a, i) =>
    norms.map((b, j) => {
      if (a === 0 || b === 0) return 0;
      if (i === j) return 1;
      const cosine = Math.max(-1, Math.min(1, values[i * size + j]! / a / b));
      if (cosine < 0) conflict = true;
      return cosine;
    }),
  );
  return { norms, cosines, conflict };
}
