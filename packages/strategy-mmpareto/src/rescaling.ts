import { type Gramian, norms, roundingError } from '@multigrad/core/strategy';
import { combinationLength } from './combination.ts';

/** The error that a Gramian of float32 gradients states where its products are added up in float64. */
const float32Error = 2 ** -22;

/** What brings a combination of gradients to the length of their sum. */
export interface Rescaling {
  /** The factor. */
  readonly lambda: number;
  /** `|s| / |h|`, which `lambda` is unless rounding bounds it. */
  readonly ratio: number;
}

/**
 * The factor of a combination `h = Σ_k h_k g_k`: `|s| / max(|h|, 2 √e Σ_k h_k max_j |g_j|)`, with `s = Σ_k g_k` and e the
 * Gramian's {@link roundingError}, but at most {@link float32Error}: gradients are float32 on every backend, however their
 * products are added up, and the factor should not depend on that.
 *
 * The objectives' gradients come from backward passes over one forward pass, so that a gradient which vanishes but for
 * rounding keeps an error of the others' order times e. A combination shorter than the second term is within the error by
 * which stationarity is decided, were every gradient as long as the longest: to rescale it to the length of the sum would
 * rescale that error.
 *
 * @param weights - h_k >= 0, not all 0
 */
export function rescaling(gramian: Gramian, weights: Float64Array): Rescaling {
  const sum = combinationLength(gramian, new Float64Array(gramian.size).fill(1)).length;
  const { length } = combinationLength(gramian, weights);
  const longest = norms(gramian).reduce((most, norm) => Math.max(most, norm), 0);
  const total = weights.reduce((all, weight) => all + weight, 0);
  const error = Math.min(roundingError(gramian), float32Error);
  const least = 2 * Math.sqrt(error) * total * longest;
  const ratio = Math.min(sum / length, Number.MAX_VALUE);
  return { ratio, lambda: length < least ? sum / least : ratio };
}
