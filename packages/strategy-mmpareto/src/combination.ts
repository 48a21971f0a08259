import type { Gramian } from '@multigrad/core/strategy';

/** How long a combination `Σ_k weights[k] · g_k` is. */
export interface CombinationLength {
  /** `|Σ_k weights[k] · g_k|`. */
  readonly length: number;
  /** `Σ_k weights[k] · |g_k|`: the length if nothing cancelled, which the error of `length` is relative to. */
  readonly uncancelled: number;
}

/**
 * The length of a combination with weights >= 0, from the Gramian.
 *
 * Lengths and cosines are taken apart first, so gradients of very different or extreme size neither overflow nor vanish.
 */
export function combinationLength(
  { size, values }: Gramian,
  weights: Float64Array,
): CombinationLength {
  const norms = Float64Array.from(weights, (_, k) => Math.sqrt(values[k * size + k]!));
  const parts = weights.map((weight, k) => weight * norms[k]!);
  const longest = Math.max(0, ...parts);
  if (longest === 0) return { length: 0, uncancelled: 0 };
  let squared = 0;
  let uncancelled = 0;
  for (let i = 0; i < size; i++) {
    if (parts[i] === 0) continue;
    uncancelled += parts[i]!;
    for (let j = 0; j < size; j++) {
      if (parts[j] === 0) continue;
      const cosine = values[i * size + j]! / norms[i]! / norms[j]!;
      squared += (parts[i]! / longest) * (parts[j]! / longest) * cosine;
    }
  }
  return { length: longest * Math.sqrt(Math.max(0, squared)), uncancelled };
}
