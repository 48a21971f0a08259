import {
  type GradientStrategy,
  type Gramian,
  isZeroWithinError,
  MultigradError,
  nearestName,
  norms,
  type OptionsOf,
  own,
  quadraticForm,
  resolveOptions,
  scaledGramian,
  solveNonNegative,
} from '@multigrad/core/strategy';

/** Descriptions of the options of {@link pcd}. */
export const pcdOptions = {
  /** Name of the primary objective; null is the first one of a group. @defaultValue null */
  primary: {
    kind: 'objective',
    description:
      'Name of the primary objective, whose gradient the update follows; off is the first one of each group.',
  },
  /**
   * Share τ, 0 … 1, of the progress along its own gradient that each secondary objective is given.
   *
   * @defaultValue 0.02
   */
  tau: {
    kind: 'number',
    default: 0.02,
    minimum: 0,
    maximum: 1,
    description:
      'Share of the progress along its own gradient that each secondary objective is given at least, 0 to 1: 0 keeps it from getting worse, more turns the update away from the primary one.',
  },
  /**
   * Share β, 0 … 1, of the running mean of squared lengths that a step keeps; with 1 it is the mean of all steps.
   *
   * @defaultValue 0.999
   */
  beta: {
    kind: 'number',
    default: 0.999,
    minimum: 0,
    maximum: 1,
    description:
      'Share of the running mean of squared lengths that a step keeps, 0 to 1: 0 takes the present lengths alone, 1 the mean of all steps.',
  },
} as const;

/** Options of {@link pcd}. */
export interface PcdOptions extends OptionsOf<typeof pcdOptions> {}

/** The running mean of an objective's squared lengths, and the number of steps that are in it. */
interface Running {
  readonly [key: string]: number;
  /** v, corrected for its start. */
  readonly mean: number;
  readonly steps: number;
}

/** State of {@link pcd}. */
export interface PcdState {
  readonly [key: string]: string | Readonly<Record<string, Running>>;
  /** Name of the primary objective. */
  readonly primary: string;
  /** By objective. */
  readonly lengths: Readonly<Record<string, Running>>;
}

/**
 * PCD, priority-constrained descent: the direction nearest to the gradient of one primary objective that still gives each
 * secondary objective its share of progress.
 *
 * `d = argmin |d − s_1 g_1|²` where `⟨d, s_j g_j⟩ >= τ |s_j g_j|²` for every secondary j; then `u = d |g_1| / |d|`. The scales
 * `s_k = 1 / √v_k` come from a running mean of the squared lengths, `v_k ← β v_k + (1 − β) |g_k|²` divided by `1 − β^t`, so
 * that τ means the same for every objective, whatever its unit. `d = s_1 g_1 + Σ_j μ_j s_j g_j` with `μ >= 0`, and μ_j = 0
 * where the primary gradient alone gives j its share.
 *
 * - The update is as long as the primary gradient. One objective keeps its plain gradient. Multiplying all gradients by a
 *   factor multiplies the update by it; multiplying a secondary one at every step changes nothing.
 * - **The primary objective may rise**, where a secondary gradient points against it and τ is large.
 * - Where no direction gives all their share, secondary objectives count for nothing at that step, noted `infeasible`: with
 *   two of them or more, which point against each other. That counts as so where the solution cannot be told from zero
 *   within the Gramian's error.
 * - With τ = 0 the solution can be zero: then the update is zero, noted `stationary`. It is zero too, with the same note, where
 *   the primary gradient is zero, and noted `no primary` where the primary objective is absent from the step.
 *
 * @remarks
 * The paper adds 1e-8 to v, which makes the answer depend on the unit of the losses; here nothing is added. Its code takes
 * a τ for each secondary objective too.
 *
 * @throws MultigradError `invalid-option` for options that do not fit; its `init` throws `invalid-objective` where a group
 * has no objective of the name `primary`
 *
 * @example
 * ```ts
 * import { integrateMatrix } from '@multigrad/core/strategy';
 * import { pcd } from '@multigrad/strategy-pcd';
 *
 * const strategy = pcd({ tau: 0.5 });
 * const { update } = integrateMatrix(strategy, [[2, 0], [0, 1]], { objectives: ['task', 'size'] });
 * console.log(update.map((value) => Number(value.toFixed(4)))); // Float64Array(2) [ 1.7889, 0.8944 ]
 * ```
 *
 * @see D. Varam, M. I. AlHajri, "Not All Objectives Are Born Equal: Priority-Constrained Descent for Hierarchical
 * Multi-Objective Optimization", TMLR 2026, Algorithm 1. https://arxiv.org/abs/2606.29521
 */
export function pcd(options: PcdOptions = {}): GradientStrategy<PcdState> {
  const { primary, tau, beta } = resolveOptions<PcdOptions>('pcd', pcdOptions, options);
  return {
    specification: 1,
    name: 'pcd',
    needs: { gradients: 'gramian' },
    init: ({ objectives }) => ({ primary: primaryOf(objectives, primary), lengths: {} }),
    integrate({ objectives, gramian }, state) {
      const lengths = norms(gramian);
      const running = objectives.map((name, k) =>
        followed(own(state.lengths, name), lengths[k]! ** 2, beta),
      );
      const next: PcdState = {
        ...state,
        lengths: {
          ...state.lengths,
          ...Object.fromEntries(objectives.map((name, k) => [name, running[k]!])),
        },
      };
      const none = new Float64Array(objectives.length);
      const at = objectives.indexOf(state.primary);
      if (at < 0) return { weights: none, state: next, note: 'no primary' };
      const length = lengths[at]!;
      if (length === 0) return { weights: none, state: next, note: 'stationary' };
      const scales = Float64Array.from(running, ({ mean }) => (mean > 0 ? 1 / Math.sqrt(mean) : 0));
      const scaled = scaledGramian(gramian, scales);
      const factors = nearest(scaled, at, tau);
      const alone = none.slice();
      alone[at] = 1;
      if (factors === null) return { weights: alone, state: next, note: 'infeasible' };
      const squared = quadraticForm(scaled, factors);
      const uncancelled = norms(scaled).reduce((sum, own, k) => sum + own * factors[k]!, 0);
      if (isZeroWithinError(scaled, squared, uncancelled)) {
        return tau > 0
          ? { weights: alone, state: next, note: 'infeasible' }
          : { weights: none, state: next, note: 'stationary' };
      }
      const divisor = Math.sqrt(squared);
      return {
        weights: factors.map((factor, k) => ((factor * scales[k]!) / divisor) * length),
        state: next,
      };
    },
  };
}

/** The running mean after one more squared length: with β = 1 each step counts alike. */
function followed(before: Running | undefined, squared: number, beta: number): Running {
  if (before === undefined) return { mean: squared, steps: 1 };
  const steps = before.steps + 1;
  const share = beta === 1 ? 1 / steps : (1 - beta) / -Math.expm1(steps * Math.log(beta));
  return { mean: before.mean + share * (squared - before.mean), steps };
}

/** Factors of the scaled gradients: 1 for the primary one, μ >= 0 for the others; null where no direction is feasible. */
function nearest(scaled: Gramian, primary: number, tau: number): Float64Array | null {
  const { size, values } = scaled;
  const others = Array.from({ length: size }, (_, k) => k).filter(
    // A zero gradient asks for nothing.
    (k) => k !== primary && values[k * size + k]! > 0,
  );
  const matrix = Float64Array.from(others.flatMap((i) => others.map((j) => values[i * size + j]!)));
  const lacking = Float64Array.from(
    others,
    (j) => tau * values[j * size + j]! - values[j * size + primary]!,
  );
  const { values: multipliers, ray } = solveNonNegative(matrix, lacking);
  if (ray) return null;
  const factors = new Float64Array(size);
  factors[primary] = 1;
  others.forEach((k, i) => (factors[k] = multipliers[i]!));
  return factors;
}

function primaryOf(objectives: readonly string[], primary: string | null): string {
  if (primary === null) return objectives[0] ?? '';
  if (objectives.includes(primary)) return primary;
  const near = nearestName(primary, objectives);
  throw new MultigradError(
    'invalid-objective',
    `Option \`primary\` of \`pcd\` names the objective \`${primary}\`, which a group does not have.` +
      (near === undefined ? '' : ` Did you mean \`${near}\`?`) +
      ` Its objectives: ${objectives.map((name) => `\`${name}\``).join(', ')}.`,
  );
}
