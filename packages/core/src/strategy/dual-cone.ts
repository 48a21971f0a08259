import { MultigradError } from './errors.ts';
import { cosineMatrix } from './cosine-matrix.ts';
import type { Gramian } from './gramian.ts';
import { norms } from './gramian-of.ts';
import { solveNonNegative } from './non-negative-least-squares.ts';

/**
 * The projection of a combination of gradients onto the dual cone of the gradients, as weights:
 * `argmin vᵀ G v` over `v >= u`, exactly.
 *
 * `Σ v_k g_k` is the vector nearest to `Σ u_k g_k` that conflicts with no gradient: `G v >= 0`, and `v_k > u_k` only
 * where `(G v)_k = 0`. It is found by active sets on the cosines, so rows of very different length do no harm and scaling
 * J changes nothing. Where gradients depend on each other several v give the same vector; which is returned is not
 * specified. A zero gradient keeps its `u_k`.
 *
 * @param u - K finite numbers
 * @returns K numbers, a new array
 * @throws MultigradError `invalid-argument` when there are not K numbers, `non-finite` when one is not finite
 *
 * @see Quinton and Rey, Jacobian Descent for Multi-Objective Optimization (2024), proposition 1.
 *   https://arxiv.org/abs/2406.16232
 *
 * @example
 * ```ts
 * import { gramianOf, projectOntoDualCone } from '@multigrad/core/strategy';
 *
 * const gramian = gramianOf([
 *   [-4, 1, 1],
 *   [6, 1, 1],
 * ]);
 * console.log(projectOntoDualCone(gramian, Float64Array.of(0.5, 0.5))); // .6111, .5
 * ```
 */
export function projectOntoDualCone(gramian: Gramian, u: Float64Array): Float64Array {
  const { size } = gramian;
  if (u.length !== size) {
    throw new MultigradError(
      'invalid-argument',
      `Argument \`u\` should hold a number for each of the ${size} gradients. Found ${u.length}.`,
    );
  }
  u.forEach((value, k) => {
    if (Number.isFinite(value)) return;
    throw new MultigradError(
      'non-finite',
      `Argument \`u\` should hold finite numbers. Found ${value} at ${k}.`,
    );
  });
  const lengths = norms(gramian);
  const active = Array.from(lengths.keys()).filter((k) => lengths[k]! > 0);
  const projected = Float64Array.from(u);
  if (active.length === 0) return projected;
  const { values: cosines } = cosineMatrix(gramian, active);
  const longest = active.reduce((most, k) => Math.max(most, lengths[k]!), 0);
  const relative = Float64Array.from(active, (k) => lengths[k]! / longest);

  // With y_k = v_k |g_k| and x = y − y_0 >= 0: ½ xᵀ C x + (C y_0)ᵀ x.
  const start = relative.map((length, at) => u[active[at]!]! * length);
  const count = active.length;
  const slope = start.map((_, i) => {
    let sum = 0;
    for (let j = 0; j < count; j += 1) sum -= cosines[i * count + j]! * start[j]!;
    return sum;
  });
  // C y_0 lies in the range of C.
  const { values } = solveNonNegative(cosines, slope, true);
  active.forEach((k, at) => (projected[k] = u[k]! + values[at]! / relative[at]!));
  return projected;
}
