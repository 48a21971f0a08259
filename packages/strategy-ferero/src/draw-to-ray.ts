import {
  type Gramian,
  innerProducts,
  norms,
  pseudoInverse,
  quadraticForm,
} from '@multigrad/core/strategy';

/** What a step does. */
export interface Drawn {
  /** `λ + Bᵀ ν`, K numbers of any sign. Finite, or divided by a number that would take them out of float64. */
  readonly weights: Float64Array;
  /** `|B L|`, the distance of the losses from the ray. */
  readonly distance: number;
}

/**
 * `λ + Bᵀ ν` with `(λ, ν) = argmin ½ (λ + Bᵀ ν)ᵀ G (λ + Bᵀ ν) − c νᵀ B L` over the simplex for λ and all ν.
 *
 * With `M = B G Bᵀ` the best ν for a λ is `M⁺ (c B L − B G λ)`. What is left is `½ α (pᵀ λ)² + qᵀ λ` with `q = c G Bᵀ M⁺ B L`:
 * the part of the gradients that the rows of B J do not span changes the losses along the ray alone, so its inner products
 * are `α p pᵀ`.
 *
 * @param unit - p, the direction of the ray, K numbers > 0 of the length 1
 * @param pull - c, >= 0
 */
export function drawToRay(
  gramian: Gramian,
  unit: Float64Array,
  losses: Float64Array,
  pull: number,
): Drawn {
  const { size } = gramian;
  const basis = Array.from({ length: size - 1 }, (_, i) => basisRow(unit, i + 1));
  const aside = basis.map((row) => dot(row, losses));
  const distance = Math.hypot(...aside);
  const longest = norms(gramian).reduce((most, length) => Math.max(most, length), 0);
  if (longest === 0) return { weights: new Float64Array(size), distance };
  // In units of the longest gradient. Where c |B L| is more than 1 of them, λ and ν are divided by it.
  const relative = { ...gramian, values: gramian.values.map((value) => value / longest / longest) };
  const rate = distance === 0 ? 0 : (pull * distance) / longest / longest;
  const divisor = Math.max(1, rate);
  const share = 1 / divisor;
  const pulls = aside.map((value) => (distance === 0 ? 0 : Math.min(1, rate) * (value / distance)));

  const products = basis.map((row) => innerProducts(relative, row));
  const across = products.flatMap((product) => basis.map((row) => dot(product, row)));
  const inverse = inverseOf(across, size - 1, gramian.relativeError);
  const towards = inverse(pulls);
  const linear = unit.map((_, k) =>
    products.reduce((sum, product, i) => sum + product[k]! * towards[i]!, 0),
  );
  const along = products.map((product) => dot(product, unit));
  const curvature = Math.max(0, quadraticForm(relative, unit) - dot(along, inverse(along)));
  const convex = lowestOnSimplex(curvature * share, unit, linear);

  const held = inverse(products.map((product) => dot(product, convex)));
  const factors = towards.map((value, i) => value - share * held[i]!);
  const weights = convex.map(
    (value, k) => share * value + basis.reduce((sum, row, i) => sum + row[k]! * factors[i]!, 0),
  );
  return {
    weights: Number.isFinite(divisor) ? weights.map((value) => value * divisor) : weights,
    distance,
  };
}

/**
 * A row of the reflection `x − 2 (nᵀx) n / nᵀn` with `n = p + e_0`, which takes p to −e_0: all rows but the first are an
 * orthonormal basis of the vectors at right angles to p.
 */
function basisRow(unit: Float64Array, index: number): Float64Array {
  // nᵀn = 2 (1 + p_0), without cancellation as p has no negative entry.
  const factor = unit[index]! / (1 + unit[0]!);
  return unit.map((value, k) => +(k === index) - factor * (k === 0 ? value + 1 : value));
}

/** `x ↦ M⁺ x`. M is scaled to a trace of 1, so that its inverse stays within float64. */
function inverseOf(
  values: readonly number[],
  size: number,
  relativeError: number,
): (vector: readonly number[]) => number[] {
  let trace = 0;
  for (let i = 0; i < size; i += 1) trace += values[i * (size + 1)]!;
  if (!(trace > 0)) return (vector) => vector.map(() => 0);
  // Symmetric to the last bit.
  const scaled = Float64Array.from(values, (value, at) => {
    const mirrored = values[(at % size) * size + Math.floor(at / size)]!;
    return (value + mirrored) / 2 / trace;
  });
  const inverse = pseudoInverse({ size, values: scaled, relativeError });
  return (vector) => {
    const image = innerProducts({ size, values: inverse.values }, Float64Array.from(vector));
    return Array.from(image, (value) => value / trace);
  };
}

/**
 * `argmin ½ α (pᵀ λ)² + qᵀ λ` over the simplex: for each value of pᵀλ the lowest qᵀλ is on an edge of the hull of the points
 * `(p_k, q_k)`, so at most two weights are not zero.
 */
function lowestOnSimplex(alpha: number, p: Float64Array, q: Float64Array): Float64Array {
  const size = p.length;
  const best = { value: Infinity, i: 0, j: 0, share: 1 };
  const consider = (i: number, j: number, share: number): void => {
    const s = share * p[i]! + (1 - share) * p[j]!;
    const value = (alpha / 2) * s * s + share * q[i]! + (1 - share) * q[j]!;
    if (value < best.value) Object.assign(best, { value, i, j, share });
  };
  for (let i = 0; i < size; i += 1) {
    consider(i, i, 1);
    for (let j = 0; j < i; j += 1) {
      const apart = p[i]! - p[j]!;
      const share = -((q[i]! - q[j]!) / (alpha * apart) + p[j]!) / apart;
      if (share > 0 && share < 1) consider(i, j, share);
    }
  }
  const weights = new Float64Array(size);
  weights[best.i]! += best.share;
  weights[best.j]! += 1 - best.share;
  return weights;
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let k = 0; k < a.length; k += 1) sum += a[k]! * b[k]!;
  return sum;
}
