import { cosine, type Gramian, norms } from '@multigrad/core/strategy';

/** The length of a combination `Σ_k weights[k] · g_k`. */
export interface CombinationLength {
  /** `|Σ_k weights[k] · g_k|`. */
  readonly length: number;
  /** `Σ_k weights[k] · |g_k|`: the length if nothing cancelled, which the error of `length` is relative to. */
  readonly uncancelled: number;
}

/**
 * The length of a combination with weights >= 0, from the Gramian.
 *
 * It works on lengths and cosines, so gradients of very different or extreme size neither overflow nor vanish.
 */
export function combinationLength(gramian: Gramian, weights: Float64Array): CombinationLength {
  const parts = norms(gramian).map((norm, k) => weights[k]! * norm);
  const uncancelled = parts.reduce((total, part) => total + part, 0);
  if (uncancelled === 0) return { length: 0, uncancelled };
  let squared = 0;
  parts.forEach((a, i) => {
    parts.forEach((b, j) => {
      squared += (a / uncancelled) * (b / uncancelled) * cosine(gramian, i, j);
    });
  });
  // Rounding can make a sum that should be zero negative.
  return { length: uncancelled * Math.sqrt(Math.max(0, squared)), uncancelled };
}
