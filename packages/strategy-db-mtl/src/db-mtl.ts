import {
  cosine,
  type GradientStrategy,
  type Gramian,
  innerProduct,
  MultigradError,
  type OptionsOf,
  own,
  resolveOptions,
} from '@multigrad/core/strategy';

/** State of {@link dbMtl} beside its memory: the number of steps so far, by objective. */
export type DbMtlState = Readonly<Record<string, number>>;

/** Descriptions of the options of {@link dbMtl}. */
export const dbMtlOptions = {
  /**
   * Share of the memory that the first step keeps, 0 … 1; the new gradient has the rest. 0 keeps nothing.
   *
   * @defaultValue 0.9
   */
  beta: {
    kind: 'number',
    default: 0.9,
    minimum: 0,
    maximum: 1,
    description:
      'Share of the memory that the first step keeps, 0 to 1; the new gradient has the rest: 0 takes the new gradient alone, more averages over more steps.',
  },
  /**
   * Exponent σ, >= 0: `beta` is divided by `t^σ` at step t, from 1; 0 keeps it constant.
   *
   * @defaultValue 0
   */
  betaSigma: {
    kind: 'number',
    default: 0,
    minimum: 0,
    description:
      'How fast beta falls: step t divides it by t to this power, 0 or more; 0 keeps it constant.',
  },
} as const;

/** Options of {@link dbMtl}. */
export interface DbMtlOptions extends OptionsOf<typeof dbMtlOptions> {}

/** Added to a loss before its logarithm. */
const lossFloor = 1e-8;

/**
 * DB-MTL, dual-balancing: the gradients of the logarithms of the losses, averaged over steps and scaled to one length.
 *
 * `r_k = g_k / (L_k + 10⁻⁸)`, `m_k ← b m_k + (1 − b) r_k` with `b = β / t^σ` from m = 0, and the update is
 * `Σ_k (max_j |m_j| / |m_k|) m_k`: K vectors of the length of the longest. Multiplying all gradients and losses by a
 * factor leaves it as it is (but for the 10⁻⁸). It may conflict with an objective. One objective has `m_1`.
 *
 * An `m_k` that is zero takes no part. t counts the steps at which the objective was present; an absent objective keeps
 * its `m_k`. Losses must be > 0.
 *
 * @remarks
 * The engine keeps the `m_k` (`needs.memory`). Their inner products follow from those of gradients and memory vectors,
 * so a step has one read-back.
 *
 * @throws MultigradError `invalid-option` for options that do not fit; `integrate` throws `invalid-objective` for a loss
 *   <= 0
 *
 * @example
 * ```ts
 * import { integrateMatrix } from '@multigrad/core/strategy';
 * import { dbMtl } from '@multigrad/strategy-db-mtl';
 *
 * const { update } = integrateMatrix(dbMtl({ beta: 0 }), [[3, 0], [0, 8]], { losses: [1, 2] });
 * console.log(update.map((value) => Number(value.toFixed(4)))); // Float64Array(2) [ 4, 4 ]
 * ```
 *
 * @see B. Lin et al., "Dual-Balancing for Multi-Task Learning", 2023, Algorithm 1. https://arxiv.org/abs/2308.12029
 */
export function dbMtl(options: DbMtlOptions = {}): GradientStrategy<DbMtlState> {
  const { beta, betaSigma } = resolveOptions<DbMtlOptions>('db-mtl', dbMtlOptions, options);
  return {
    specification: 1,
    name: 'db-mtl',
    needs: { gradients: 'gramian', losses: 'now', memory: true },
    init: () => ({}),
    integrate({ objectives, losses, stacked }, state) {
      const times = objectives.map((name) => (own(state, name) ?? 0) + 1);
      const keep = Float64Array.from(times, (time) => beta / time ** betaSigma);
      const add = Float64Array.from(objectives, (name, k) => {
        const loss = losses[k]!;
        if (loss > 0) return (1 - keep[k]!) / (loss + lossFloor);
        throw new MultigradError(
          'invalid-objective',
          `The loss of objective \`${name}\` should be > 0, because \`db-mtl\` takes its logarithm. Found ${loss}.`,
        );
      });
      const lengths = keep.map((kept, k) => combinedLength(stacked, k, add[k]!, kept));
      const longest = lengths.reduce((most, length) => Math.max(most, length), 0);
      const factors = lengths.map((length) => (length > 0 ? longest / length : 0));
      return {
        weights: factors.map((factor, k) => factor * add[k]!),
        memoryUpdate: { weights: factors.map((factor, k) => factor * keep[k]!), keep, add },
        state: { ...state, ...Object.fromEntries(objectives.map((name, k) => [name, times[k]!])) },
      };
    },
  };
}

/** `|a g_k + b m_k|` from the inner products of K gradients and K memory vectors. */
function combinedLength(stacked: Gramian, k: number, a: number, b: number): number {
  const m = stacked.size / 2 + k;
  const x = a * Math.sqrt(innerProduct(stacked, k, k));
  const y = b * Math.sqrt(innerProduct(stacked, m, m));
  if (x === 0 || y === 0) return Math.abs(x) + Math.abs(y);
  // |x − y|² + 2 x y (1 + cos), so that no square overflows and equal vectors keep their digits.
  const scale = Math.max(x, y);
  const [p, q] = [x / scale, y / scale];
  return scale * Math.sqrt((p - q) ** 2 + 2 * p * q * (1 + cosine(stacked, k, m)));
}
