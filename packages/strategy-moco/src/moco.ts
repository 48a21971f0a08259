import {
  type GradientStrategy,
  type Gramian,
  norms,
  type OptionsOf,
  own,
  resolveOptions,
} from '@multigrad/core/strategy';

/** State of {@link moco} beside its memory: steps so far, and the weights by objective. */
export type MocoState = {
  readonly step: number;
  readonly lambda: Readonly<Record<string, number>>;
};

/** Descriptions of the options of {@link moco}. */
export const mocoOptions = {
  /** Share of the new gradient in the memory at the first step, 0 … 1: 1 takes the new gradient alone. @defaultValue 0.5 */
  beta: {
    kind: 'number',
    default: 0.5,
    minimum: 0,
    maximum: 1,
    description:
      'Share of the new gradient in the memory at the first step, 0 to 1: 1 takes the new gradient alone, less averages over more steps.',
  },
  /** Exponent σ_β, >= 0: `beta` is divided by `t^σ_β` at step t; 0 keeps it constant. @defaultValue 0.5 */
  betaSigma: {
    kind: 'number',
    default: 0.5,
    minimum: 0,
    description:
      'How fast beta falls: step t divides it by t to this power, 0 or more; 0 keeps it constant.',
  },
  /** Step size of the weights at the first step, > 0. @defaultValue 0.1 */
  gamma: {
    kind: 'number',
    default: 0.1,
    exclusiveMinimum: 0,
    description:
      'Step size of the weights at the first step, above 0: the larger, the faster they change.',
  },
  /** Exponent σ_γ, >= 0: `gamma` is divided by `t^σ_γ` at step t; 0 keeps it constant. @defaultValue 0.5 */
  gammaSigma: {
    kind: 'number',
    default: 0.5,
    minimum: 0,
    description:
      'How fast gamma falls: step t divides it by t to this power, 0 or more; 0 keeps it constant.',
  },
  /** Regularisation of the weights, >= 0: the larger, the closer they stay to each other. @defaultValue 0 */
  rho: {
    kind: 'number',
    default: 0,
    minimum: 0,
    description:
      'Regularisation of the weights, 0 or more: the larger, the closer they stay to each other.',
  },
} as const;

/** Options of {@link moco}. */
export interface MocoOptions extends OptionsOf<typeof mocoOptions> {}

/**
 * MoCo, multi-objective gradient correction: weights and gradients are both tracked over steps, which removes the bias
 * that MGDA has with gradients of mini-batches.
 *
 * With `r_k = L_k g_k / |g_k|`: `y_k ← y_k − b (y_k − r_k)`, `b = β / t^σ_β`, from y = 0; then
 * `λ ← softmax(λ − c (Y Yᵀ + ρ I) λ)`, `c = γ / t^σ_γ`, from λ = 1/K; the update is `Σ_k λ_k y_k`. Its length follows the
 * losses, not the gradients: multiplying all gradients by a factor leaves it as it is. It may conflict with an objective.
 * One objective has `y_1`.
 *
 * A zero gradient has `r_k = 0`. An absent objective keeps its `y_k` and `λ_k`; the softmax goes over the objectives
 * present, and a new one begins with 1/K.
 *
 * @remarks
 * The normalised rows and the softmax are those of the official code; the paper projects onto the simplex. The engine
 * keeps the `y_k` (`needs.memory`), and their inner products follow from one read-back.
 *
 * @throws MultigradError `invalid-option` for options that do not fit
 *
 * @example
 * ```ts
 * import { integrateMatrix } from '@multigrad/core/strategy';
 * import { moco } from '@multigrad/strategy-moco';
 *
 * const jacobian = [[3, 0], [0, 4]];
 * const { update } = integrateMatrix(moco({ beta: 1 }), jacobian, { losses: [1, 1] });
 * console.log(update); // Float64Array(2) [ 0.5, 0.5 ]
 * ```
 *
 * @see H. Fernando et al., "Mitigating Gradient Bias in Multi-objective Learning: A Provably Convergent Approach",
 * ICLR 2023, Algorithm 1. https://arxiv.org/abs/2210.12624
 */
export function moco(options: MocoOptions = {}): GradientStrategy<MocoState> {
  const { beta, betaSigma, gamma, gammaSigma, rho } = resolveOptions<MocoOptions>(
    'moco',
    mocoOptions,
    options,
  );
  return {
    specification: 1,
    name: 'moco',
    needs: { gradients: 'gramian', losses: 'now', memory: true },
    init: () => ({ step: 0, lambda: {} }),
    integrate({ objectives, gramian, losses, stacked }, state) {
      const size = objectives.length;
      const time = state.step + 1;
      const moved = beta / time ** betaSigma;
      const lengths = norms(gramian);
      const add = lengths.map((length, k) => (length > 0 ? (moved * losses[k]!) / length : 0));
      const keep = new Float64Array(size).fill(1 - moved);

      const tracked = trackedGramian(stacked, lengths, add, keep);
      const lambda = Float64Array.from(objectives, (name) => own(state.lambda, name) ?? 1 / size);
      const rate = gamma / time ** gammaSigma;
      const next = softmax(
        lambda.map((own, i) => {
          let slope = rho * own;
          for (let j = 0; j < size; j += 1) slope += tracked[i * size + j]! * lambda[j]!;
          return own - rate * slope;
        }),
      );
      return {
        weights: next.map((own, k) => own * add[k]!),
        memoryUpdate: { weights: next.map((own, k) => own * keep[k]!), keep, add },
        state: {
          step: time,
          lambda: {
            ...state.lambda,
            ...Object.fromEntries(objectives.map((name, k) => [name, next[k]!])),
          },
        },
      };
    },
  };
}

/** `Y Yᵀ` after the step, from the inner products of gradients and memory vectors. */
function trackedGramian(
  { size: count, values }: Gramian,
  lengths: Float64Array,
  add: Float64Array,
  keep: Float64Array,
): Float64Array {
  const size = lengths.length;
  const entry = (i: number, j: number): number => values[i * count + j]!;
  return Float64Array.from({ length: size * size }, (_, at) => {
    const [i, j] = [Math.floor(at / size), at % size];
    // Multiply by one factor after the other: the product of both could overflow before it meets its inner product.
    return (
      add[i]! * entry(i, j) * add[j]! +
      add[i]! * entry(i, size + j) * keep[j]! +
      keep[i]! * entry(size + i, j) * add[j]! +
      keep[i]! * entry(size + i, size + j) * keep[j]!
    );
  });
}

function softmax(x: Float64Array): Float64Array {
  const greatest = x.reduce((most, value) => Math.max(most, value));
  const powers = x.map((value) => Math.exp(value - greatest));
  const total = powers.reduce((sum, power) => sum + power, 0);
  return powers.map((power) => power / total);
}
