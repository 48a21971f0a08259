import {
  type GradientStrategy,
  type Gramian,
  innerProducts,
  type OptionsOf,
  own,
  projectOntoSimplex,
  resolveOptions,
} from '@multigrad/core/strategy';

/** State of {@link sdmgrad}: the weights, by objective. */
export type SdmgradState = Readonly<Record<string, number>>;

/** Descriptions of the options of {@link sdmgrad}. */
export const sdmgradOptions = {
  /** How strongly the update is drawn towards the mean of the gradients, 0 … 1e6; 0 is MGDA. @defaultValue 0.3 */
  lambda: {
    kind: 'number',
    default: 0.3,
    minimum: 0,
    maximum: 1e6,
    description:
      'How strongly the update is drawn towards the mean of the gradients, 0 to 1e6: 0 is MGDA, the larger, the closer to the mean.',
  },
  /** Number of projected gradient steps on the weights, an integer >= 1. @defaultValue 20 */
  iterations: {
    kind: 'number',
    default: 20,
    integer: true,
    minimum: 1,
    description: 'Number of projected gradient steps on the weights, an integer >= 1.',
  },
  /**
   * Step size of the projected gradient steps, above 0 up to 1e6: 5 in LibMTL, 10 in the official code. A step size of
   * at most 3/K does not amplify rounding.
   *
   * @defaultValue 5
   */
  learningRate: {
    kind: 'number',
    default: 5,
    exclusiveMinimum: 0,
    maximum: 1e6,
    description:
      'Step size of the projected gradient steps, above 0 up to 1e6: 5 in LibMTL, 10 in the official code. A step size above 3/K amplifies rounding.',
  },
  /** Momentum of the projected gradient steps, 0 … 1. @defaultValue 0.5 */
  momentum: {
    kind: 'number',
    default: 0.5,
    minimum: 0,
    maximum: 1,
    description: 'Momentum of the projected gradient steps, 0 to 1; 0 is none.',
  },
} as const;

/** Options of {@link sdmgrad}. */
export interface SdmgradOptions extends OptionsOf<typeof sdmgradOptions> {}

/**
 * SDMGrad, stochastic direction-oriented multi-objective gradient: MGDA drawn towards the mean, with unbiased estimates
 * from independent batches.
 *
 * `A = J_1 J_2ᵀ`, divided by the squared mean of `√max(A_kk, 0)`; from the last step's w (1/K at first) `iterations`
 * projected gradient steps with momentum on the simplex, along `A w + λ A 1/K`; the update is `J_3ᵀ (w + λ/K) / (1 + λ)`.
 * J_1, J_2, J_3 are gradients of three independent batches at the same parameters. The update has the size of one
 * gradient, and may conflict with an objective. Multiplying all gradients by a factor multiplies it by that. One
 * objective keeps its plain gradient, of the third batch.
 *
 * w stays as it was, noted `degenerate`, where no diagonal entry of A is positive (zero gradients, or batches that
 * disagree), or where other entries are 1e100 times as great as its positive diagonal entries. An absent objective
 * keeps its w; those present are projected onto their own simplex.
 *
 * **The default rate amplifies rounding.** Steps on w converge where `learningRate < 2 (1 + momentum) / λ` with λ the
 * largest eigenvalue of A, which is K at most for gradients of one length: below 3/K with the default momentum. With 5 w
 * leaps between corners of the simplex, and a change of A by 10⁻⁷ may change it by tenths: runs on another backend, or with
 * another order of sums, part ways. Both published rates are of that kind. `learningRate: 1 / K` finds the w that they are
 * meant to find.
 *
 * @remarks
 * LibMTL has the rate 5, the official code 10: `sdmgrad({ learningRate: 10 })`. The official code also multiplies the update
 * by K and clips it to the length 1, and at the commit 8333f9e the gradients of its three batches share one tensor, so that all
 * three are those of the last batch.
 *
 * @throws MultigradError `invalid-option` for options that do not fit
 *
 * @example
 * ```ts
 * import { integrateMatrix } from '@multigrad/core/strategy';
 * import { sdmgrad } from '@multigrad/strategy-sdmgrad';
 *
 * const jacobian = [[1, 0], [0, 1]];
 * const { update } = integrateMatrix(sdmgrad(), jacobian, { batches: [jacobian, jacobian] });
 * console.log(update); // Float64Array(2) [ 0.5, 0.5 ]
 * ```
 *
 * @see P. Xiao, H. Ban, K. Ji, "Direction-oriented Multi-objective Learning: Simple and Provable Stochastic
 * Algorithms", NeurIPS 2023, Algorithm 1. https://arxiv.org/abs/2305.18409
 */
export function sdmgrad(options: SdmgradOptions = {}): GradientStrategy<SdmgradState> {
  const { lambda, iterations, learningRate, momentum } = resolveOptions<SdmgradOptions>(
    'sdmgrad',
    sdmgradOptions,
    options,
  );
  return {
    specification: 1,
    name: 'sdmgrad',
    needs: { gradients: 'gramian', batches: 3 },
    init: () => ({}),
    integrate({ objectives, stacked }, state) {
      const size = objectives.length;
      const products = crossProducts(stacked, size);
      let weights = projectOntoSimplex(
        Float64Array.from(objectives, (name) => own(state, name) ?? 1 / size),
      );
      if (products !== null) {
        let velocity = new Float64Array(size);
        for (let turn = 0; turn < iterations; turn += 1) {
          const current = weights;
          const slopes = innerProducts(
            { size, values: products },
            current.map((own) => own + lambda / size),
          );
          velocity = velocity.map((own, i) => momentum * own + slopes[i]!);
          const moved = velocity;
          weights = projectOntoSimplex(current.map((own, k) => own - learningRate * moved[k]!));
        }
      }
      const none = new Float64Array(size);
      const last = weights.map((own) => (own + lambda / size) / (1 + lambda));
      return {
        weights: none,
        batchWeights: [none, last],
        state: {
          ...state,
          ...Object.fromEntries(objectives.map((name, k) => [name, weights[k]!])),
        },
        ...(products === null ? { note: 'degenerate' } : {}),
      };
    },
  };
}

/**
 * `J_1 J_2ᵀ` over the squared mean of the roots of its diagonal; null where no diagonal entry is positive, or where an
 * entry of the quotient is 1e100 or more.
 */
function crossProducts({ size: count, values }: Gramian, size: number): Float64Array | null {
  let mean = 0;
  for (let k = 0; k < size; k += 1) {
    mean += Math.sqrt(Math.max(values[k * count + size + k]!, 0)) / size;
  }
  if (mean === 0) return null;
  const products = Float64Array.from(
    { length: size * size },
    (_, at) => values[Math.floor(at / size) * count + size + (at % size)]! / mean / mean,
  );
  // With greater entries, steps along them could leave float64.
  return products.every((product) => Math.abs(product) < 1e100) ? products : null;
}
