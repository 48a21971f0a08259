import type { Gramian } from './gramian.ts';
import { cosine } from './gramian-of.ts';

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
  const values = new Float64Array(size * size);
  for (let i = 0; i < size; i += 1) {
    for (let j = i; j < size; j += 1) {
      const value = cosine(gramian, active[i]!, active[j]!);
      values[i * size + j] = value;
      values[j * size + i] = value;
    }
  }
  // The divisions and roots round three times.
  return { size, values, relativeError: gramian.relativeError + 2 ** -51 };
}
