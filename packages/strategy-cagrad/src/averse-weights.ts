import { type Gramian, minNormPoint, projectOntoDualCone } from '@multigrad/core/strategy';

/**
 * The weights of CAGrad's update; null where it is zero.
 *
 * For any τ > 0 the w that minimises `⟨g_w, g_0⟩ + |g_w|² / (2 τ)` makes `g_w + τ g_0` the min-norm point of the hull of
 * `g_k + τ g_0`. It is CAGrad's w where `|g_w| = τ c |g_0|`, which the left side undercuts from some τ on, once.
 */
export function averseWeights(given: Gramian, c: number): Float64Array | null {
  const gramian = scaled(given);
  const { size, values } = gramian;
  const share = 1 / size;
  const products = Float64Array.from({ length: size }, (_, i) => rowSum(gramian, i) * share);
  const meanSquared = products.reduce((sum, product) => sum + product, 0) * share;
  const diagonal = Float64Array.from({ length: size }, (_, k) => values[k * size + k]!);
  const total = diagonal.reduce((sum, value) => sum + Math.sqrt(value), 0);
  // Within the error of its own sum the mean is zero.
  const error = gramian.relativeError + size * 2 ** -50;
  if (meanSquared <= error * (total * share) ** 2) return null;
  const mean = new Float64Array(size).fill(share);
  if (c === 0) return mean;

  const radius = c * Math.sqrt(meanSquared);
  const at = (tau: number): { weights: Float64Array; length: number } => {
    const shifted = values.map(
      (value, entry) =>
        value +
        tau * (products[Math.floor(entry / size)]! + products[entry % size]!) +
        tau * tau * meanSquared,
    );
    // Rounding must not make a squared length negative.
    for (let k = 0; k < size; k += 1) {
      shifted[k * size + k] = Math.max(shifted[k * size + k]!, 2 ** -1000);
    }
    const { weights } = minNormPoint({ ...gramian, values: shifted });
    return { weights, length: Math.sqrt(Math.max(0, quadraticForm(gramian, weights))) };
  };
  const longest = Math.sqrt(diagonal.reduce((most, value) => Math.max(most, value), 0));
  const shortest = minNormPoint(gramian);
  if (shortest.stationary && c >= 1) return null;
  let low = shortest.stationary
    ? (longest / radius) * Math.sqrt(error)
    : Math.sqrt(shortest.squaredNorm) / radius;
  let high = longest / radius;
  if (shortest.stationary && at(low).length < low * radius) {
    return projectOntoDualCone(gramian, mean);
  }
  // Bisection of the logarithm, with a secant step where it halves the bracket faster.
  let best = at(high);
  for (let turn = 0; turn < 120 && high > low * (1 + 4 * Number.EPSILON); turn += 1) {
    const middle = Math.sqrt(low) * Math.sqrt(high);
    best = at(middle);
    // The length at the root is close to what it is here: the next guess.
    const guess = best.length / radius;
    if (best.length > middle * radius) low = middle;
    else high = middle;
    if (guess > low && guess < high) {
      best = at(guess);
      if (best.length > guess * radius) low = guess;
      else high = guess;
    }
  }
  if (best.length === 0) return projectOntoDualCone(gramian, mean);
  return best.weights.map((weight) => share + (weight * radius) / best.length);
}

/** Divided by a power of two near the largest entry: nothing over- or underflows, nothing is rounded. */
function scaled(gramian: Gramian): Gramian {
  const { size, values } = gramian;
  const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  if (largest === 0) return gramian;
  const factor = 2 ** Math.floor(Math.log2(largest));
  return { ...gramian, size, values: values.map((value) => value / factor) };
}

function rowSum({ size, values }: Gramian, row: number): number {
  let sum = 0;
  for (let j = 0; j < size; j += 1) sum += values[row * size + j]!;
  return sum;
}

function quadraticForm({ size, values }: Gramian, vector: Float64Array): number {
  let form = 0;
  for (let i = 0; i < size; i += 1) {
    for (let j = 0; j < size; j += 1) form += vector[i]! * values[i * size + j]! * vector[j]!;
  }
  return form;
}
