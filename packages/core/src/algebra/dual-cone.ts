import { MultigradError } from '../base/errors.ts';
import { cosineMatrix } from './cosine-matrix.ts';
import type { Gramian } from './gramian.ts';
import { roundingError } from './gramian-forms.ts';
import { nonZero, norms } from './gramian-of.ts';
import { ridgeSearch, solveRidge } from './ridge-solver.ts';
import { isVerified } from './verified-projection.ts';
import { workNumbers } from './work-array.ts';

const references = workNumbers();
const slopeArrays = workNumbers();

/**
 * The projection of a combination of gradients onto the dual cone of the gradients, as weights:
 * `argmin vᵀ G v` over `v >= u`.
 *
 * `x = Σ v_k g_k` is the vector nearest to the reference `r = Σ u_k g_k` that conflicts with no gradient: `G v >= 0`,
 * and `v_k > u_k` only where `(G v)_k = 0`. It is found by active sets on the cosines, so rows of very different length
 * do no harm and scaling J changes nothing. Where gradients depend on each other several v give the same vector; which
 * of them is returned is not specified. A zero gradient keeps its `u_k`.
 *
 * @remarks
 * **Bounds.** Let `e = relativeError + K · 2⁻⁵⁰`, which stands for the Gramian's error and the solver's rounding. Each
 * answer is verified before it is returned, for every set of gradients that the Gramian may come from:
 *
 * - No gradient conflicts: `⟨x, g_k⟩ >= −2 √e |x| |g_k|`.
 * - The vector is not longer than the reference: `|x| <= |r|`.
 * - Where no vector can be told from zero, or none is verified, **all weights of gradients that are not zero are 0**
 *   (not u or more). This is the case for opposite gradients.
 *
 * The distance from the projection without rounding, x*, is at most `12 K √e S*`, where
 * `S* = Σ (|u_k| + v*_k − u_k) |g_k|` is the sum of the lengths that x* is made of. It can come near this bound where
 * gradients nearly depend on each other; elsewhere it is about `K e S*`. Where no gradient conflicts with r by more than
 * `4 √K e Σ |u_k| |g_k|`, the weights are u to the last bit. `npm run soak -- exact` holds these bounds against exact
 * arithmetic.
 *
 * A ridge of `4 √K e` on the cosines makes the problem definite. A second solution removes most of what the ridge
 * changes.
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
  let longest = 0;
  for (const k of active) longest = Math.max(longest, lengths[k]!);
  const error = roundingError(gramian);
  // The errors move the cosines' eigenvalues by at most K times the largest error, or by 2 √(K / 3) times it if they
  // are random.
  let problem = { matrix: cosines, ridge: 4 * Math.sqrt(count) * error };
  const search = ridgeSearch(count);
  const reference = references.of(count);
  const slopes = slopeArrays.of(count);
  // Marks gradients whose opposite is a multiple of a sum of others: their own projections are zero.
  const opposed = new Uint8Array(count);
  return (u) => {
    checkCombination(u, size);
    const projected = u.slice();
    // With y_k = v_k |g_k| the weights of unit gradients; those of the reference add up to 1.
    let total = 0;
    let parts = 0;
    let last = 0;
    for (let at = 0; at < count; at += 1) {
      const value = u[active[at]!]! * (lengths[active[at]!]! / longest);
      reference[at] = value;
      if (value === 0) continue;
      total += Math.abs(value);
      parts += 1;
      last = at;
    }
    if (total === 0) return projected;
    if (parts === 1 && reference[last]! > 0 && opposed[last] === 1) {
      projected[active[last]!] = 0;
      return projected;
    }
    for (let at = 0; at < count; at += 1) reference[at]! /= total;
    // With y = reference + x: argmin ½ xᵀ C x + (C reference)ᵀ x over x >= 0.
    negatedProduct(cosines, reference, slopes);
    while (!solveRidge(problem, slopes, search)) {
      // The Gramian has more error than it states. Every matrix of cosines is definite with a ridge above K.
      problem = { ...problem, ridge: 16 * problem.ridge };
    }
    const { solution: added, slopes: after } = search;
    const found = isVerified(error, reference, slopes, added, after);
    if (!found) markOpposed(reference, added, opposed);
    for (let at = 0; at < count; at += 1) {
      const k = active[at]!;
      if (!found) projected[k] = 0;
      // Most gradients get nothing added: they keep their u_k to the last bit.
      else if (added[at] !== 0) projected[k]! += added[at]! * (total * (longest / lengths[k]!));
    }
    return projected;
  };
}

/**
 * Marks the gradients with a large weight in `reference + added`, a combination that cannot be told from zero. Divided
 * by such a gradient's weight, the combination shows that the gradient's own projection is zero too.
 */
function markOpposed(reference: Float64Array, added: Float64Array, opposed: Uint8Array): void {
  const size = reference.length;
  let sum = 0;
  for (let k = 0; k < size; k += 1) {
    if (reference[k]! < 0) return;
    sum += reference[k]! + added[k]!;
  }
  for (let k = 0; k < size; k += 1) {
    if (reference[k]! + added[k]! > sum / (2 * size)) opposed[k] = 1;
  }
}

function negatedProduct(matrix: Float64Array, vector: Float64Array, image: Float64Array): void {
  const size = vector.length;
  for (let i = 0; i < size; i += 1) {
    const row = i * size;
    let sum = 0;
    for (let j = 0; j < size; j += 1) sum -= matrix[row + j]! * vector[j]!;
    image[i] = sum;
  }
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
