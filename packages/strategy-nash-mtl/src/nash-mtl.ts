import {
  type BalancedWeights,
  balancedWeights,
  type GradientStrategy,
  type Gramian,
  innerProduct,
  norms,
  type OptionsOf,
  own,
  resolveOptions,
} from '@multigrad/core/strategy';

/** State of {@link nashMtl} for a parameter group. */
export type NashMtlState = {
  /** Steps since the weights were found; 0 where the next step has to find new ones. */
  readonly age: number;
  /** The weights found, before any clipping, by objective. */
  readonly weights: Readonly<Record<string, number>>;
};

/** Descriptions of the options of {@link nashMtl}. */
export const nashMtlOptions = {
  /**
   * Greatest length of the update, > 0; null does not clip.
   *
   * @defaultValue 1
   */
  maxNorm: {
    kind: 'number',
    default: 1,
    exclusiveMinimum: 0,
    nullable: true,
    description: 'Greatest length of the update, above 0; off does not clip.',
  },
  /**
   * Steps from one computation of the weights to the next, an integer >= 1; 1 computes them at every step.
   *
   * @defaultValue 1
   */
  updateEvery: {
    kind: 'number',
    default: 1,
    integer: true,
    minimum: 1,
    description:
      'Steps from one computation of the weights to the next, an integer >= 1; 1 computes them at every step.',
  },
} as const;

/** Options of {@link nashMtl}. */
export interface NashMtlOptions extends OptionsOf<typeof nashMtlOptions> {}

/**
 * Nash-MTL: the update is the Nash bargaining solution, with the gain `⟨u, g_k⟩` of each objective as its utility.
 *
 * The weights are the positive solution of `(G a)_k = 1 / a_k`, found by Newton's method to machine precision; then the
 * update is shortened to `maxNorm`. Every objective falls: `⟨u, g_k⟩ > 0`. The unclipped length is √K whatever the
 * gradients, so with the default `maxNorm` 1 the update of two or more objectives always has the length 1: the learning
 * rate alone sets the step, and multiplying the gradients by a factor leaves the update as it is. One objective has the
 * update `g / |g|`.
 *
 * There is no solution exactly where the gradients are Pareto stationary (a combination with weights >= 0 is zero
 * within the Gramian's error), a zero gradient among them: all weights are 0 and the note is `stationary`.
 *
 * The solution is checked: `|⟨u, g_k⟩ − 1 / a_k| <= (2⁻³⁶ + relativeError) Σ_j |G_kj| a_j` for every k, before
 * clipping. Where the check fails all weights are 0 and the note is `unsolved`.
 *
 * With `updateEvery` T the weights are kept for T steps; where none were found, the next step tries again. With
 * `maxNorm` off the steps in between need no gradients, and cost one backward pass where one scalar loss expresses the
 * weights. If an objective is present that has no kept weight, a step that sees gradients finds new weights; other
 * steps give it the mean of the others' weights.
 *
 * @remarks
 * The official code approximates the solution by a sequence of convex programs, 20 at most, and starts each from the
 * last one's weights.
 *
 * @throws MultigradError `invalid-option` for options that do not fit
 *
 * @example
 * ```ts
 * import { integrateMatrix } from '@multigrad/core/strategy';
 * import { nashMtl } from '@multigrad/strategy-nash-mtl';
 *
 * const { update } = integrateMatrix(nashMtl(), [
 *   [-4, 1, 1],
 *   [6, 1, 1],
 * ]);
 * console.log(update.map((value) => Number(value.toFixed(4)))); // Float64Array(3) [ 0.0542, 0.7061, 0.7061 ]
 * ```
 *
 * @see A. Navon et al., "Multi-Task Learning as a Bargaining Game", ICML 2022, equation 2 and Algorithm 1.
 * https://arxiv.org/abs/2202.01017
 */
export function nashMtl(options: NashMtlOptions = {}): GradientStrategy<NashMtlState> {
  const { maxNorm, updateEvery } = resolveOptions<NashMtlOptions>(
    'nash-mtl',
    nashMtlOptions,
    options,
  );
  return {
    specification: 1,
    name: 'nash-mtl',
    needs: { gradients: 'gramian' },
    // Clipping needs the length of the update, and so the gradients of every step.
    needsNow: ({ age }) => ({ gradients: age > 0 && maxNorm === null ? 'none' : 'gramian' }),
    init: () => ({ age: 0, weights: {} }),
    integrate(gradients, state) {
      const { objectives } = gradients;
      const blind = state.age > 0 && maxNorm === null;
      const known = objectives.every((name) => Object.hasOwn(state.weights, name));
      const kept = blind || (state.age > 0 && known);
      const { weights, note }: BalancedWeights = kept
        ? { weights: keptWeights(objectives, state) }
        : balancedWeights(gradients.gramian);
      // No weights were found that could be kept: the next step tries again.
      if (note !== undefined) return { weights, state: { age: 0, weights: {} }, note };
      const age = ((kept ? state.age : 0) + 1) % updateEvery;
      const next: NashMtlState = {
        age,
        weights:
          updateEvery === 1
            ? {}
            : kept
              ? state.weights
              : Object.fromEntries(objectives.map((name, k) => [name, weights[k]!])),
      };
      if (maxNorm === null) return { weights, state: next };
      return { weights: clip(weights, gradients.gramian, maxNorm), state: next };
    },
  };
}

/** The kept weights; an objective without one gets the mean of the others'. */
function keptWeights(objectives: readonly string[], { weights }: NashMtlState): Float64Array {
  const all = Object.values(weights);
  const mean = all.reduce((sum, weight) => sum + weight, 0) / all.length;
  return Float64Array.from(objectives, (name) => own(weights, name) ?? mean);
}

/** Weights of an update no longer than `maxNorm`. */
function clip(weights: Float64Array, gramian: Gramian, maxNorm: number): Float64Array {
  const { size } = gramian;
  // Divide by the lengths first, so that no square over- or underflows.
  const lengths = norms(gramian);
  const parts = weights.map((weight, k) => weight * lengths[k]!);
  const longest = parts.reduce((most, part) => Math.max(most, Math.abs(part)), 0);
  let squared = 0;
  for (let i = 0; i < size; i += 1) {
    for (let j = 0; j < size; j += 1) {
      if (lengths[i] === 0 || lengths[j] === 0) continue;
      const cosine = innerProduct(gramian, i, j) / lengths[i]! / lengths[j]!;
      squared += (parts[i]! / longest) * (parts[j]! / longest) * cosine;
    }
  }
  const length = Math.sqrt(Math.max(0, squared)) * longest;
  return length > maxNorm ? weights.map((weight) => (weight / length) * maxNorm) : weights;
}
