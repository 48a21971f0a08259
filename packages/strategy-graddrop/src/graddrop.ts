import {
  type GradientStrategy,
  MultigradError,
  type OptionsOf,
  preferencesOf,
  type RandomState,
  randomState,
  resolveOptions,
  resumeRandom,
  type RowAlgebra,
} from '@multigrad/core/strategy';

/** Descriptions of the options of {@link graddrop}. */
export const graddropOptions = {
  /**
   * Share of each objective's gradient that passes whatever its sign, by name, 0 … 1; objectives that are not named
   * have 0.
   *
   * @defaultValue null
   */
  leak: {
    kind: 'weights',
    description:
      'Share of the gradient of each objective that is never dropped, by name, 0 to 1: 1 leaves the gradient as it is; objectives that are not named have 0.',
  },
  /** Seed of the masks, any integer that a double holds exactly. @defaultValue 0 */
  seed: {
    kind: 'number',
    default: 0,
    integer: true,
    description: 'Seed of the masks, any integer.',
  },
} as const;

/** Options of {@link graddrop}. */
export interface GraddropOptions extends OptionsOf<typeof graddropOptions> {}

/**
 * GradDrop, gradient sign dropout: at each coordinate only the gradients of one sign pass. The sign is drawn; its
 * probability is its share of the coordinate's total magnitude.
 *
 * At each coordinate `P = (1 + Σ_k g_k / Σ_k |g_k|) / 2` and U is uniform in [0, 1): where `P > U` the positive entries
 * pass, else the negative ones. The update is `Σ_k (l_k g_k + (1 − l_k) mask_k g_k)` with the leaks l. Where all signs
 * agree it is the sum; in the mean over U it leans to the sign of greater magnitude. It is no weighted sum of the
 * gradients and may conflict with any. One objective keeps its plain gradient. Multiplying all gradients by a factor >
 * 0 multiplies the update by it; zero gradients change nothing.
 *
 * U comes from a generator in the state, seeded by `seed` and the group's key; each tensor of the group has its own
 * stream, so a resumed run repeats what an uninterrupted one does.
 *
 * @remarks
 * The paper masks gradients at a layer's activations, marginalised over the batch; this is its rule on the coordinates of
 * parameters (or of features, with `level: 'features'`).
 *
 * @throws MultigradError `invalid-option` for options that do not fit
 *
 * @example
 * ```ts
 * import { integrateMatrix } from '@multigrad/core/strategy';
 * import { graddrop } from '@multigrad/strategy-graddrop';
 *
 * const { update } = integrateMatrix(graddrop({ seed: 1 }), [
 *   [1, 2, -3],
 *   [1, -2, -3],
 * ]);
 * console.log(update[0], Math.abs(update[1]!), update[2]); // 2 2 -6
 * ```
 *
 * @see Z. Chen et al., "Just Pick a Sign: Optimizing Deep Multitask Models with Gradient Sign Dropout", NeurIPS 2020,
 * Algorithm 1. https://arxiv.org/abs/2010.06808
 */
export function graddrop(options: GraddropOptions = {}): GradientStrategy<RandomState> {
  const { leak, seed } = resolveOptions<GraddropOptions>('graddrop', graddropOptions, options);
  for (const [name, share] of Object.entries(leak ?? {})) {
    if (share <= 1) continue;
    throw new MultigradError(
      'invalid-option',
      `Option \`leak.${name}\` of \`graddrop\` should be a number in 0 … 1. Found ${share}.`,
    );
  }
  return {
    specification: 1,
    name: 'graddrop',
    needs: { gradients: 'rows' },
    init: ({ key, stream = key }) => randomState(seed, 'graddrop', stream),
    integrate({ objectives }, state) {
      const random = resumeRandom(state);
      const draw = random.integer(2 ** 32);
      const leaks = preferencesOf(objectives, leak, 0);
      return {
        weights: new Float64Array(objectives.length).fill(1),
        combine: (rows, algebra) => dropSigns(rows, algebra, leaks, draw),
        state: random.state(),
      };
    },
  };
}

function dropSigns<Row>(
  rows: readonly Row[],
  algebra: RowAlgebra<Row>,
  leaks: Float64Array,
  draw: number,
): Row {
  const { add, maximum, minimum, multiply, scale } = algebra;
  const [zero, one] = [algebra.constant(0), algebra.constant(1)];
  const total = rows.reduce((sum, row) => add(sum, row));
  const magnitude = rows.map((row) => algebra.abs(row)).reduce((sum, row) => add(sum, row));
  // P > U where 1 + Σ g / Σ |g| > 2 U; where all entries are zero either mask passes zeros.
  const doubled = add(one, algebra.divide(total, magnitude));
  const positive = algebra.greater(doubled, scale(algebra.uniform(draw), 2));
  const negative = algebra.subtract(one, positive);
  return rows
    .map((row, k) => {
      const passed = add(
        multiply(positive, maximum(row, zero)),
        multiply(negative, minimum(row, zero)),
      );
      const share = leaks[k]!;
      return share === 0 ? passed : add(scale(row, share), scale(passed, 1 - share));
    })
    .reduce((sum, row) => add(sum, row));
}
