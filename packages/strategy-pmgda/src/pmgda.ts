import {
  type GradientStrategy,
  type Gramian,
  innerProducts,
  minNormPoint,
  norms,
  type OptionsOf,
  rayOf,
  rayOption,
  quadraticForm,
  resolveOptions,
  roundingError,
  solveLinearProgram,
} from '@multigrad/core/strategy';

/** Descriptions of the options of {@link pmgda}. */
export const pmgdaOptions = {
  /**
   * Direction λ of the ray that the losses are brought to, by objective name, finite and > 0: the greater, the greater the
   * loss may stay. Objectives that are not named have 1.
   *
   * @defaultValue null
   */
  // eslint-disable-next-line @typescript-eslint/no-unnecessary-type-assertion -- isolated declarations take no other type.
  preference: rayOption as typeof rayOption,
  /** Distance from the ray up to which the losses count as on it, >= 0, in the unit of the losses. @defaultValue 0.01 */
  tolerance: {
    kind: 'number',
    default: 0.01,
    minimum: 0,
    description:
      'Distance from the ray up to which the losses count as on it, 0 or more, in the unit of the losses.',
  },
  /** Share of the steepest approach to the ray that a correction keeps, 0 … 1. @defaultValue 0.95 */
  sigma: {
    kind: 'number',
    default: 0.95,
    minimum: 0,
    maximum: 1,
    description:
      'Share of the steepest approach to the ray that a step of correction keeps, 0 to 1: the smaller, the more it descends on all objectives.',
  },
} as const;

/** Options of {@link pmgda}. */
export interface PmgdaOptions extends OptionsOf<typeof pmgdaOptions> {}

/**
 * PMGDA, the preference-based multiple gradient descent algorithm: steps that bring the losses to a ray (correction), and
 * MGDA's once they are there (prediction).
 *
 * With `p = λ / |λ|` the distance of the losses from the ray is `h = |L − (Lᵀp) p|`, and `∇h = Σ_k s_k g_k` with
 * `s = (L − (Lᵀp) p) / h`.
 *
 * - h < tolerance, **prediction**, noted `prediction`: the shortest convex combination of the gradients. Where it is zero
 *   within the Gramian's error all weights are 0, noted `stationary`.
 * - else **correction**: of all combinations u of the unit gradients and `∇h / |∇h|` with weights >= 0 of the sum 1 and
 *   `⟨u, ∇h⟩ >= σ |∇h|`, the one whose smallest gain `min_k ⟨u, g_k⟩` is greatest, by a linear program. A weight may be
 *   negative: an objective that is ahead of the ray may rise.
 *
 * Where ∇h is zero within the Gramian's error there is nothing to correct, and the step is a prediction. Where several
 * combinations solve the program, which of them is taken is not specified. The correction has the length 1 at most, whatever
 * the length of the gradients; a prediction has the size of one gradient. One objective keeps its plain gradient. The
 * diagnostic `distance` is h.
 *
 * @remarks
 * It is what LibMOON, by the paper's authors, computes. LibMOON divides by `|g_k| + 1e-4` where this divides by `|g_k|`,
 * so that the answer does not depend on the unit of the losses. The paper has further functions h, for regions of interest.
 *
 * @throws MultigradError `invalid-option` for options that do not fit
 *
 * @example
 * ```ts
 * import { integrateMatrix } from '@multigrad/core/strategy';
 * import { pmgda } from '@multigrad/strategy-pmgda';
 *
 * // The second loss is too large for the ray (1, 1), and the first one too small.
 * const { weights } = integrateMatrix(pmgda(), [[1, 0], [0, 1]], { losses: [1, 2] });
 * console.log(weights.map((weight) => Number(weight.toFixed(4)))); // Float64Array(2) [ -0.5864, 0.7571 ]
 * ```
 *
 * @see X. Zhang, X. Lin, Q. Zhang, "PMGDA: A Preference-based Multiple Gradient Descent Algorithm", 2024, section III.
 * https://arxiv.org/abs/2402.09492
 */
export function pmgda(options: PmgdaOptions = {}): GradientStrategy<null> {
  const { preference, tolerance, sigma } = resolveOptions<PmgdaOptions>(
    'pmgda',
    pmgdaOptions,
    options,
  );
  return {
    specification: 1,
    name: 'pmgda',
    needs: { gradients: 'gramian', losses: 'now' },
    init: () => null,
    integrate({ objectives, gramian, losses }, state) {
      const ray = rayOf(objectives, preference);
      const { distance, slopes } = fromRay(losses, ray);
      const corrected = distance < tolerance ? null : correction(gramian, slopes, sigma);
      const diagnostics = { distance };
      if (corrected !== null) return { weights: corrected, state, diagnostics };
      const { weights, stationary } = minNormPoint(gramian);
      return stationary
        ? { weights: weights.fill(0), state, note: 'stationary', diagnostics }
        : { weights, state, note: 'prediction', diagnostics };
    },
  };
}

/** The distance h of the losses from a ray through 0 of length 1, and its slopes s: both in units of the losses. */
function fromRay(
  losses: Float64Array,
  ray: Float64Array,
): { readonly distance: number; readonly slopes: Float64Array } {
  const size = Math.hypot(...losses) || 1;
  const along = losses.reduce((sum, loss, k) => sum + (loss / size) * ray[k]!, 0);
  const aside = losses.map((loss, k) => loss / size - along * ray[k]!);
  const relative = Math.hypot(...aside);
  // Within rounding the losses lie on the ray, and what is left has no direction.
  if (relative <= losses.length * 2 ** -50) return { distance: 0, slopes: aside.fill(0) };
  return { distance: relative * size, slopes: aside.map((value) => value / relative) };
}

/** The weights of a step towards the ray; null where no step leads there as far as the Gramian tells. */
function correction(gramian: Gramian, slopes: Float64Array, sigma: number): Float64Array | null {
  const { size } = gramian;
  const lengths = norms(gramian);
  const longest = lengths.reduce((most, length) => Math.max(most, length), 0);
  if (longest === 0) return null;
  // In units of the longest gradient, so that no square leaves float64.
  const values = gramian.values.map((value) => value / longest / longest);
  const relative = lengths.map((length) => length / longest);
  const squared = quadraticForm({ size, values }, slopes);
  const uncancelled = slopes.reduce((sum, slope, k) => sum + Math.abs(slope) * relative[k]!, 0);
  if (squared <= 4 * roundingError(gramian) * uncancelled * uncancelled) return null;
  const steepness = Math.sqrt(squared);
  // A zero gradient has no direction, and no step changes its objective.
  const divisors = relative.map((length) => length || 1);
  const shortest = divisors.reduce((least, length) => Math.min(least, length));
  const nearing = innerProducts({ size, values }, slopes).map(
    (value, k) => value / steepness / divisors[k]!,
  );
  // Columns: the weights of the unit gradients, that of ∇h / |∇h|, and the smallest gain, over the length of the shortest
  // gradient, as a difference of two. A row for each objective over the length of its gradient: cosines throughout.
  const gains = Array.from({ length: size }, (_, i) => [
    ...divisors.map((length, k) => values[i * size + k]! / divisors[i]! / length),
    nearing[i]!,
    -shortest / divisors[i]!,
    shortest / divisors[i]!,
  ]);
  const none = Array<number>(size + 1).fill(0);
  const solution = solveLinearProgram({
    objective: [...none, 1, -1],
    atLeast: [...gains, [...nearing, 1, 0, 0]],
    least: [...none.slice(1), sigma],
    equal: [[...none.map(() => 1), 0, 0]],
    values: [1],
  });
  // ∇h / |∇h| alone fulfils the constraints: where rounding leaves no solution, that is the step.
  const [shares, direct] = solution === null ? [none, 1] : [solution, solution[size]!];
  return slopes.map(
    (slope, k) =>
      ((relative[k]! > 0 ? shares[k]! / relative[k]! : 0) + (direct * slope) / steepness) / longest,
  );
}
