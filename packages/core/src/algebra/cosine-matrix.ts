import type { Gramian } from './gramian.ts';

/**
 * The Gramian of the unit gradients, `C_ij = cos(g_i, g_j)`, of those objectives that are listed.
 *
 * @param active - indices of gradients that are not zero, each once
 *
 * @example
 * ```ts
 * import { cosineMatrix, gramianOf } from '@multigrad/core/strategy';
 *
 * const { values } = cosineMatrix(gramianOf([[3, 0], [0, 0], [0, 2]]), [0, 2]);
 * console.log(values); // 1, 0, 0, 1
 * ```
 */
export function cosineMatrix(gramian: Gramian, active: readonly number[]): Gramian {
  const size = active.length;
  const lengths = new Float64Array(size);
  for (let i = 0; i < size; i += 1) {
    lengths[i] = Math.sqrt(gramian.values[active[i]! * (gramian.size + 1)]!);
  }
  const values = new Float64Array(size * size);
  for (let i = 0; i < size; i += 1) {
    values[i * size + i] = 1;
    const row = active[i]! * gramian.size;
    for (let j = i + 1; j < size; j += 1) {
      // One division after the other: no product of norms that could overflow or lose digits.
      const value = gramian.values[row + active[j]!]! / lengths[i]! / lengths[j]!;
      const within = value > 1 ? 1 : value < -1 ? -1 : value;
      values[i * size + j] = within;
      values[j * size + i] = within;
    }
  }
  // The divisions and roots round three times.
  return { size, values, relativeError: gramian.relativeError + 2 ** -51 };
}
