import {
  type GradientStrategy,
  MultigradError,
  type OptionsOf,
  own,
  preferencesOf,
  resolveOptions,
} from '@multigrad/core/strategy';
import { assertPositive, softmax, withValues } from './losses.ts';

/** Descriptions of the options of {@link smoothTchebycheff}. */
export const smoothTchebycheffOptions = {
  /** Smoothness μ, > 0: towards 0 the worst objective alone counts. @defaultValue 1 */
  mu: {
    kind: 'number',
    default: 1,
    exclusiveMinimum: 0,
    description: 'Smoothness, above 0: the smaller, the more the worst objective alone counts.',
  },
  /**
   * Preference of each objective by name, finite and >= 0; objectives that are not named have 1/K.
   *
   * @defaultValue null
   */
  preference: {
    kind: 'weights',
    preference: 'counts',
    description:
      'Preference of each objective by name, a finite number >= 0; objectives that are not named have 1/K.',
  },
  /**
   * Reference point z by objective name, >= 0: the loss that would be perfect; 0 where nothing is named.
   *
   * @defaultValue null
   */
  reference: {
    kind: 'weights',
    description:
      'Ideal loss of each objective by name, >= 0; objectives that are not named have 0.',
  },
  /**
   * Epochs of warm-up, an integer >= 0, before the one whose mean losses normalise: the form of the official code, whose
   * default is 4. Null takes the losses as they are, as the paper's equation does.
   *
   * @defaultValue null
   */
  warmupEpochs: {
    kind: 'number',
    default: null,
    nullable: true,
    integer: true,
    minimum: 0,
    description:
      'Epochs of warm-up before the one whose mean losses normalise all later losses, 0 or more (4 in the official code); null takes the losses as they are.',
  },
} as const;

/** Options of {@link smoothTchebycheff}. */
export interface SmoothTchebycheffOptions extends OptionsOf<typeof smoothTchebycheffOptions> {}

/** Of each objective the epochs finished so far, and its mean loss in the epoch after the warm-up once that is known. */
export type SmoothTchebycheffState = null | {
  readonly epochs: Readonly<Record<string, number>>;
  readonly nadir: Readonly<Record<string, number>>;
};

const name = 'smooth-tchebycheff';

/**
 * STCH, smooth Tchebycheff scalarization: a smooth maximum of the preferred losses, `μ log Σ_k e^(p_k (L_k − z_k) / μ)`,
 * whose weights are `w_k = p_k softmax(p (L − z) / μ)_k`.
 *
 * One objective has `p_1 = 1`, its plain gradient. Losses may have any sign.
 *
 * With `warmupEpochs` the form of the official code: while that many epochs and one more last, `Σ_k log L_k`, so `w_k = 1
 * / L_k`; from then on `K μ log Σ_k (L_k / n_k)^(1/μ)`, n the mean losses of the last of those epochs, so `w_k = K
 * softmax(log(L / n) / μ)_k / L_k`. Losses have to be > 0, and there is neither `preference` nor `reference`. One objective
 * has `1 / L_1`. An objective that appears later has epochs of its own; until all that are present have their n the first
 * form holds.
 *
 * @remarks
 * The official code adds 10⁻²⁰ before each logarithm, which is left out here, and n is its mean over batches, here the
 * trainer's over samples.
 *
 * @throws MultigradError `invalid-option` for options that do not fit; with `warmupEpochs` `integrate` and `onEpochEnd`
 *   throw `invalid-objective` for a loss <= 0
 *
 * @example
 * ```ts
 * import { integrateMatrix } from '@multigrad/core/strategy';
 * import { smoothTchebycheff } from '@multigrad/scalarization';
 *
 * const { weights } = integrateMatrix(smoothTchebycheff(), [[1], [2]], { losses: [3, 3] });
 * console.log(weights); // Float64Array(2) [ 0.25, 0.25 ]
 * ```
 *
 * @see X. Lin et al., "Smooth Tchebycheff Scalarization for Multi-Objective Optimization", ICML 2024, equation 8.
 * https://arxiv.org/abs/2402.19078
 */
export function smoothTchebycheff(
  options: SmoothTchebycheffOptions = {},
): GradientStrategy<SmoothTchebycheffState> {
  const { mu, preference, reference, warmupEpochs } = resolveOptions<SmoothTchebycheffOptions>(
    name,
    smoothTchebycheffOptions,
    options,
  );
  if (warmupEpochs !== null) {
    for (const [option, value] of Object.entries({ preference, reference })) {
      if (value === null) continue;
      throw new MultigradError(
        'invalid-option',
        `Option \`${option}\` of \`${name}\` should be left out beside \`warmupEpochs\`, whose form has none. ` +
          `Found ${JSON.stringify(value)}.`,
      );
    }
    return normalized(mu, warmupEpochs);
  }
  return {
    specification: 1,
    name,
    needs: { gradients: 'none', losses: 'now' },
    init: () => null,
    integrate({ objectives, losses }, state) {
      const preferred = preferencesOf(objectives, preference, 1 / objectives.length);
      const perfect = preferencesOf(objectives, reference, 0);
      const scores = losses.map((loss, k) => preferred[k]! * (loss - perfect[k]!));
      const shares = sharesOf(scores, mu);
      return { weights: shares.map((share, k) => preferred[k]! * share), state };
    },
  };
}

/** The form of the official code. */
function normalized(mu: number, warmupEpochs: number): GradientStrategy<SmoothTchebycheffState> {
  const start = { epochs: {}, nadir: {} };
  return {
    specification: 1,
    name,
    needs: { gradients: 'none', losses: 'now-and-epoch-means' },
    init: () => start,
    integrate({ objectives, losses }, state) {
      assertPositive(losses, objectives, name, 'takes its logarithm');
      const { nadir } = state ?? start;
      const known = objectives.map((objective) => own(nadir, objective));
      if (known.includes(undefined)) return { weights: losses.map((loss) => 1 / loss), state };
      const scores = losses.map((loss, k) => Math.log(loss) - Math.log(known[k]!));
      const shares = sharesOf(scores, mu);
      return { weights: losses.map((loss, k) => (losses.length * shares[k]!) / loss), state };
    },
    onEpochEnd(losses, objectives, state) {
      assertPositive(losses, objectives, name, 'takes its logarithm');
      const { epochs, nadir } = state ?? start;
      const counts = objectives.map((objective) => (own(epochs, objective) ?? 0) + 1);
      const found = objectives.flatMap((objective, k) =>
        counts[k] === warmupEpochs + 1 ? [[objective, losses[k]!] as const] : [],
      );
      return {
        epochs: withValues(epochs, objectives, counts),
        nadir: { ...nadir, ...Object.fromEntries(found) },
      };
    },
  };
}

/** `softmax(scores / mu)`. */
function sharesOf(scores: Float64Array, mu: number): Float64Array {
  // Subtract the greatest score before the division: a score over a small μ could overflow to ∞, while a difference may
  // overflow to −∞.
  const greatest = scores.reduce((a, b) => Math.max(a, b));
  return softmax(scores.map((score) => (score - greatest) / mu));
}
