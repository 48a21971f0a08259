import type { Gramian } from './gramian.ts';
import { workNumbers } from './work-array.ts';

const factors = workNumbers();

/**
 * The inverse of a Gramian that is far from singular, by its Cholesky factor: K × K entries, symmetric to the last bit.
 * Null where the Gramian may be singular within its error or an entry leaves float64; then its eigenvalues have to
 * decide.
 *
 * `λ_min >= 1 / tr(G⁻¹)` and `λ_max <= tr(G)`, so the traces prove that no eigenvalue counts as zero.
 */
export function definiteInverse({ size, values, relativeError }: Gramian): Float64Array | null {
  // L, then L⁻¹ in the same lower triangle.
  const factor = factors.of(size * size);
  let trace = 0;
  for (let i = 0; i < size; i += 1) {
    const row = i * size;
    trace += values[row + i]!;
    for (let j = 0; j < i; j += 1) {
      const other = j * size;
      let value = values[row + j]!;
      for (let k = 0; k < j; k += 1) value -= factor[row + k]! * factor[other + k]!;
      factor[row + j] = value / factor[other + j]!;
    }
    let pivot = values[row + i]!;
    for (let k = 0; k < i; k += 1) pivot -= factor[row + k]! ** 2;
    if (!(pivot > 0)) return null;
    factor[row + i] = Math.sqrt(pivot);
  }
  for (let i = 0; i < size; i += 1) {
    const row = i * size;
    const pivot = 1 / factor[row + i]!;
    for (let j = 0; j < i; j += 1) {
      let value = 0;
      for (let k = j; k < i; k += 1) value += factor[row + k]! * factor[k * size + j]!;
      factor[row + j] = -value * pivot;
    }
    factor[row + i] = pivot;
  }
  // G⁻¹ = L⁻ᵀ L⁻¹, row after row of L⁻¹ along memory.
  const inverse = new Float64Array(size * size);
  for (let k = 0; k < size; k += 1) {
    const row = k * size;
    for (let i = 0; i <= k; i += 1) {
      const value = factor[row + i]!;
      for (let j = 0; j <= i; j += 1) inverse[i * size + j]! += value * factor[row + j]!;
    }
  }
  let inverseTrace = 0;
  for (let i = 0; i < size; i += 1) {
    inverseTrace += inverse[i * size + i]!;
    for (let j = 0; j < i; j += 1) inverse[j * size + i] = inverse[i * size + j]!;
  }
  // Four times the bound that eigenvalues are compared with: the rounding of these sums is less than the rest of it.
  const cutoff = 4 * size * Math.max(relativeError, 2 ** -52) * trace;
  return cutoff * inverseTrace < 1 ? inverse : null;
}
