import { cosine, type Gramian, isZeroWithinError, norms } from '@multigrad/core/strategy';

/** The target cosines of ordered pairs of objectives, by index. */
export interface CosineTargets {
  /** The target of the gradient of i against that of j, −1 … 1. */
  get(i: number, j: number): number;
  /** Records the cosine found. */
  observe(i: number, j: number, found: number): void;
}

/**
 * Greatest target. Near the cosine 1 the multiple of the other gradient grows without bound; here it is up to 707
 * lengths.
 */
const greatestTarget = 1 - 1e-6;

/**
 * The sum of the coefficients of all gradients, each corrected towards its target cosines with the others.
 *
 * Works on coefficients of unit gradients, so that no product overflows and the scale of the gradients does not matter.
 *
 * @param order - returns the order of all gradients, the corrected one included; called once for each gradient
 */
export function vaccinate(
  gramian: Gramian,
  targets: CosineTargets,
  order: () => Iterable<number>,
): Float64Array {
  const { size } = gramian;
  const lengths = norms(gramian);
  const cosines = Float64Array.from({ length: size * size }, (_, at) =>
    cosine(gramian, Math.floor(at / size), at % size),
  );
  const weights = new Float64Array(size);
  const coefficients = new Float64Array(size);
  // Inner products of the corrected gradient with all unit gradients: a changed coefficient adds a multiple of a row.
  const products = new Float64Array(size);
  for (let i = 0; i < size; i++) {
    coefficients.fill(0);
    coefficients[i] = 1;
    products.set(cosines.subarray(i * size, (i + 1) * size));
    for (const j of order()) {
      if (j === i || lengths[i] === 0 || lengths[j] === 0) continue;
      const length = lengthOf(gramian, coefficients, products);
      if (length === 0) break;
      const found = Math.max(-1, Math.min(1, products[j]! / length));
      const target = Math.min(greatestTarget, targets.get(i, j));
      if (found < target) {
        const multiple = length * ((target * sine(found)) / sine(target) - found);
        coefficients[j]! += multiple;
        for (let k = 0; k < size; k++) products[k]! += multiple * cosines[j * size + k]!;
      }
      targets.observe(i, j, found);
    }
    for (let k = 0; k < size; k++) {
      // The gradient's own coefficient needs no ratio of lengths, which is NaN for a zero gradient.
      if (k === i) weights[k]! += coefficients[k]!;
      else if (coefficients[k] !== 0) weights[k]! += coefficients[k]! * (lengths[i]! / lengths[k]!);
    }
  }
  return weights;
}

/** `√(cᵀ C c)`; 0 where that is zero within the Gramian's error. */
function lengthOf(gramian: Gramian, coefficients: Float64Array, products: Float64Array): number {
  let squared = 0;
  let sum = 0;
  coefficients.forEach((coefficient, k) => {
    squared += coefficient * products[k]!;
    sum += Math.abs(coefficient);
  });
  return isZeroWithinError(gramian, squared, sum) ? 0 : Math.sqrt(squared);
}

/** The sine to a cosine, of an angle of 0 … π. */
function sine(cosine: number): number {
  return Math.sqrt((1 - cosine) * (1 + cosine));
}
