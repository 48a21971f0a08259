import { MultigradError } from '../base/errors.ts';
import { cosineMatrix } from './cosine-matrix.ts';
import type { Gramian } from './gramian.ts';
import { nonZero, norms } from './gramian-of.ts';
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
  return dualConeProjection(gramian)(u);
}

/**
 * {@link projectOntoDualCone} for several combinations of the same gradients.
 *
 * @example
 * ```ts
 * import { dualConeProjection, gramianOf } from '@multigrad/core/strategy';
 *
 * const project = dualConeProjection(gramianOf([[1, 0], [-1, 1]]));
 * console.log(project(Float64Array.of(1, 0)), project(Float64Array.of(0, 1))); // 1, .5 and 1, 1
 * ```
 */
export function dualConeProjection(gramian: Gramian): (u: Float64Array) => Float64Array {
  const { size } = gramian;
  const lengths = norms(gramian);
  const active = nonZero(lengths);
  const count = active.length;
  const { values: cosines } = cosineMatrix(gramian, active);
  const relative = new Float64Array(count);
  let longest = 0;
  for (const k of active) longest = Math.max(longest, lengths[k]!);
  for (let at = 0; at < count; at += 1) relative[at] = lengths[active[at]!]! / longest;
  return (u) => {
    checkCombination(u, size);
    const projected = Float64Array.from(u);
    if (count === 0) return projected;
    // With y_k = v_k |g_k| and x = y − y_0 >= 0: ½ xᵀ C x + (C y_0)ᵀ x.
    const start = new Float64Array(count);
    for (let at = 0; at < count; at += 1) start[at] = u[active[at]!]! * relative[at]!;
    const slope = new Float64Array(count);
    for (let i = 0; i < count; i += 1) {
      let sum = 0;
      for (let j = 0; j < count; j += 1) sum -= cosines[i * count + j]! * start[j]!;
      slope[i] = sum;
    }
    // C y_0 lies in the range of C.
    const { values } = solveNonNegative(cosines, slope, true);
    for (let at = 0; at < count; at += 1) {
      const k = active[at]!;
      projected[k] = u[k]! + values[at]! / relative[at]!;
    }
    return projected;
  };
}

function checkCombination(u: Float64Array, size: number): void {
  if (u.length !== size) {
    throw new MultigradError(
      'invalid-argument',
      `Argument \`u\` should hold a number for each of the ${size} gradients. Found ${u.length}.`,
    );
  }
  for (let k = 0; k < size; k += 1) {
    if (Number.isFinite(u[k])) continue;
    throw new MultigradError(
      'non-finite',
      `Argument \`u\` should hold finite numbers. Found ${u[k]} at ${k}.`,
    );
  }
}
