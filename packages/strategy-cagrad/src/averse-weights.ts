import {
  type Gramian,
  innerProducts,
  isZeroWithinError,
  minNormPoint,
  norms,
  projectOntoDualCone,
  roundingError,
} from '@multigrad/core/strategy';

/** The result of {@link averseWeights}. */
export interface AverseWeights {
  /** K numbers. */
  readonly weights: Float64Array;
  /**
   * `stationary`: the weights are zero. `unsolved`: the solution failed the check, and the weights are those of a
   * fallback.
   */
  readonly note?: 'stationary' | 'unsolved';
}

/** A point of the path: for some τ the w that minimises `⟨g_w, g_0⟩ + |g_w|² / (2 τ)` over the simplex. */
interface PathPoint {
  readonly tau: number;
  readonly weights: Float64Array;
  /** `|g_w|²`. */
  readonly squared: number;
}

/**
 * The weights of CAGrad's update.
 *
 * For any τ > 0 the w that minimises `⟨g_w, g_0⟩ + |g_w|² / (2 τ)` makes `g_w + τ g_0` the min-norm point of the hull
 * of `g_k + τ g_0`. It is CAGrad's w where `|g_w| = τ c |g_0|`. Along the path of τ the left side falls below the right
 * side once. The update is then `(g_w + τ g_0) / τ`. Its gains `⟨u, g_k⟩` are the least and equal where w_k > 0: the
 * result is checked by that.
 *
 * @param mean - K shares >= 0 of the sum 1, with which `g_0` is the mean of the gradients
 * @param clip - whether a share w_k in `g_w` is at most the one in the mean
 */
export function averseWeights(
  given: Gramian,
  c: number,
  mean: Float64Array,
  clip: boolean,
): AverseWeights {
  const gramian = scaled(given);
  const { size } = gramian;
  const stationary: AverseWeights = { weights: new Float64Array(size), note: 'stationary' };
  const products = innerProducts(gramian, mean);
  const meanSquared = weighed(products, mean);
  const lengths = norms(gramian);
  const error = roundingError(gramian);
  if (isZeroWithinError(gramian, meanSquared, weighed(lengths, mean))) return stationary;
  // For smaller c the shift τ g_0 is so long that rounding hides the gradients that it is added to.
  if (c < 1e-6) return { weights: mean };

  const radius = c * Math.sqrt(meanSquared);
  const longest = Math.max(...lengths);
  const shortest = minNormPoint(gramian);
  if (shortest.stationary && c >= 1) return stationary;
  const at = (tau: number): PathPoint => pathPoint(gramian, products, meanSquared, tau);
  const low = shortest.stationary
    ? (longest / radius) * Math.sqrt(error)
    : Math.sqrt(shortest.squaredNorm) / radius;
  const first = at(low);
  // The best g_w is zero: the update is the projection of the mean onto the dual cone.
  if (shortest.stationary && Math.sqrt(first.squared) < low * radius) {
    if (clip) return { weights: clipped(gramian, shortest.weights, mean, radius) };
    const left = projectOntoDualCone(gramian, mean);
    const added = left.map((weight, k) => weight - mean[k]!);
    if (product(gramian, added, added) <= radius * radius) return { weights: left };
    // The projection lies beyond the radius, which the error of the inner products hid: take the last point that they
    // can tell.
    return { weights: first.weights.map((weight, k) => mean[k]! + weight / first.tau) };
  }
  const { tau, weights } = crossing(gramian, radius, at, first, longest / radius);
  const update = weights.map((weight, k) => mean[k]! + weight / tau);
  const gains = innerProducts(gramian, update);
  // The sums of the magnitudes of what was added up.
  const terms = innerProducts({ size, values: gramian.values.map(Math.abs) }, update.map(Math.abs));
  // There has to be a number that all gains reach and that those taking part equal, each within the rounding of its own
  // sum.
  const tolerance = 2 ** -30 + 4 * error;
  const reached = Math.min(...gains.map((gain, k) => gain + tolerance * terms[k]!));
  const unsolved = !gains.every(
    (gain, k) => !(weights[k]! > 0) || gain - tolerance * terms[k]! <= reached,
  );
  // Certainly within the radius are the mean and, for c >= 1, also its projection onto the dual cone.
  const solved = clip ? clipped(gramian, weights, mean, radius) : update;
  const found = unsolved ? mean : solved;
  const safe = c >= 1 ? withoutConflict(gramian, found, error) : found;
  if (safe === null) return stationary;
  return unsolved ? { weights: safe, note: 'unsolved' } : { weights: safe };
}

/** The update with the shares in `g_w` cut to those in the mean, not scaled to the sum 1; the mean where `g_w` is then zero. */
function clipped(
  gramian: Gramian,
  weights: Float64Array,
  mean: Float64Array,
  radius: number,
): Float64Array {
  const shares = weights.map((weight, k) => Math.min(weight, mean[k]!));
  const squared = product(gramian, shares, shares);
  if (isZeroWithinError(gramian, squared, weighed(norms(gramian), shares))) return mean;
  const factor = radius / Math.sqrt(squared);
  return mean.map((share, k) => share + factor * shares[k]!);
}

/**
 * The combination itself where it conflicts with no gradient, else its projection onto the dual cone; null where the
 * projection is zero or does not fulfil `⟨u, g_k⟩ >= −2 √e |u| |g_k|`, the error of the inner products.
 */
function withoutConflict(
  gramian: Gramian,
  weights: Float64Array,
  error: number,
): Float64Array | null {
  const gains = innerProducts(gramian, weights);
  if (gains.every((gain) => gain >= 0)) return weights;
  const projected = projectOntoDualCone(gramian, weights);
  const left = innerProducts(gramian, projected);
  const length = Math.sqrt(Math.max(0, product(gramian, projected, projected)));
  const lengths = norms(gramian);
  const conflicts = left.some((gain, k) => !(gain >= -2 * Math.sqrt(error) * lengths[k]! * length));
  return conflicts || length === 0 ? null : projected;
}

/** The point at τ, from the Gramian of `g_k + τ g_0`. */
function pathPoint(
  gramian: Gramian,
  products: Float64Array,
  meanSquared: number,
  tau: number,
): PathPoint {
  const { size } = gramian;
  const shifted = gramian.values.map((value, at) => {
    const [i, j] = [Math.floor(at / size), at % size];
    const moved = value + tau * (products[i]! + products[j]!) + tau * tau * meanSquared;
    // Rounding must not make a squared length negative.
    return i === j ? Math.max(moved, 2 ** -1000) : moved;
  });
  const { weights } = minNormPoint({ ...gramian, values: shifted });
  return { tau, weights, squared: Math.max(0, product(gramian, weights, weights)) };
}

/**
 * Finds the point where `|g_w| = τ · radius`, between a point at which the left side is not less and a τ at which it is
 * not more. As long as the same objectives take part w is linear in τ, so the crossing is found exactly once they are
 * known.
 */
function crossing(
  gramian: Gramian,
  radius: number,
  at: (tau: number) => PathPoint,
  first: PathPoint,
  last: number,
): PathPoint {
  let low = first;
  let high = at(last);
  for (let turn = 0; turn < 200 && high.tau > low.tau * (1 + 4 * Number.EPSILON); turn += 1) {
    const between = linearCrossing(gramian, radius, low, high);
    if (low.weights.every((weight, k) => weight > 0 === high.weights[k]! > 0)) return between;
    // The linear crossing could give the same two points again: every other turn halves the interval, in logarithms.
    const narrow = turn % 2 === 1 || between.tau <= low.tau || between.tau >= high.tau;
    const found = at(narrow ? Math.sqrt(low.tau) * Math.sqrt(high.tau) : between.tau);
    if (Math.sqrt(found.squared) > found.tau * radius) low = found;
    else high = found;
  }
  return high;
}

/** The crossing if w were linear in τ: `|(1 − s) g_low + s g_high| = ((1 − s) τ_low + s τ_high) · radius`. */
function linearCrossing(
  gramian: Gramian,
  radius: number,
  low: PathPoint,
  high: PathPoint,
): PathPoint {
  const mixed = product(gramian, low.weights, high.weights);
  const step = high.tau - low.tau;
  const a = low.squared - 2 * mixed + high.squared - (step * radius) ** 2;
  const b = mixed - low.squared - low.tau * step * radius ** 2;
  const d = Math.max(0, low.squared - (low.tau * radius) ** 2);
  // a s² + 2 b s + d = 0 with d >= 0 and a value <= 0 at s = 1: the first root, without cancellation.
  const root = d / (-b + Math.sqrt(Math.max(0, b * b - a * d)));
  const s = Number.isFinite(root) ? Math.min(1, Math.max(0, root)) : 0.5;
  return {
    tau: low.tau + s * step,
    weights: low.weights.map((weight, k) => (1 - s) * weight + s * high.weights[k]!),
    squared: (1 - s) ** 2 * low.squared + 2 * s * (1 - s) * mixed + s * s * high.squared,
  };
}

/** Divided by a power of two near the largest entry: nothing over- or underflows, nothing is rounded. */
function scaled(gramian: Gramian): Gramian {
  const { values } = gramian;
  const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  if (largest === 0) return gramian;
  const factor = 2 ** Math.floor(Math.log2(largest));
  return { ...gramian, values: values.map((value) => value / factor) };
}

/** `Σ values[k] shares[k]`. */
function weighed(values: Float64Array, shares: Float64Array): number {
  return values.reduce((sum, value, k) => sum + value * shares[k]!, 0);
}

/** `⟨g_a, g_b⟩` of two combinations. */
function product(gramian: Gramian, a: Float64Array, b: Float64Array): number {
  return weighed(innerProducts(gramian, b), a);
}
