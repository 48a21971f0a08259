import {
  type GradientStrategy,
  MultigradError,
  type OptionsOf,
  resolveOptions,
  type RowAlgebra,
} from '@multigrad/core/strategy';

/** Descriptions of the options of {@link trimmedMean}. */
export const trimmedMeanOptions = {
  /**
   * Number of gradients dropped at either end of each coordinate, an integer >= 0. A group needs more than twice as many
   * objectives.
   *
   * @defaultValue 1
   */
  trim: {
    kind: 'number',
    default: 1,
    integer: true,
    minimum: 0,
    description:
      'Number of gradients dropped at either end of each coordinate, an integer >= 0; a group needs more than twice as many objectives.',
  },
} as const;

/** Options of {@link trimmedMean}. */
export interface TrimmedMeanOptions extends OptionsOf<typeof trimmedMeanOptions> {}

/**
 * The coordinate-wise trimmed mean: at each coordinate the b largest and b smallest entries are dropped, the others
 * averaged.
 *
 * It suits objectives that estimate one gradient, b of which may be arbitrarily wrong. On objectives that really differ
 * it drops some. The update is no weighted sum of the gradients, has the size of one gradient, and may conflict with
 * any. Multiplying all gradients by a factor multiplies the update by it. Zero, duplicated and opposite gradients are
 * entries like any other; with `trim` 0 the update is the mean.
 *
 * A group needs `2b + 1` objectives, also at a step at which some are absent. The entries are sorted by a network of
 * `K(K−1)/2` minima and maxima, on the device where the gradients are.
 *
 * @throws MultigradError `invalid-option` for options that do not fit; `init` and `integrate` throw `unsupported` for
 *   fewer objectives than needed
 *
 * @example
 * ```ts
 * import { integrateMatrix } from '@multigrad/core/strategy';
 * import { trimmedMean } from '@multigrad/strategy-trimmed-mean';
 *
 * const { update } = integrateMatrix(trimmedMean(), [
 *   [1, 0],
 *   [2, -900],
 *   [75, 1],
 *   [3, 2],
 * ]);
 * console.log(update); // Float64Array(2) [ 2.5, 0.5 ]
 * ```
 *
 * @see D. Yin, Y. Chen, K. Ramchandran, P. Bartlett, "Byzantine-Robust Distributed Learning: Towards Optimal Statistical
 * Rates", ICML 2018, definition 2. https://arxiv.org/abs/1803.01498
 */
export function trimmedMean(options: TrimmedMeanOptions = {}): GradientStrategy<null> {
  const { trim } = resolveOptions<TrimmedMeanOptions>('trimmed-mean', trimmedMeanOptions, options);
  const assertSize = (objectives: readonly string[], where: string): void => {
    if (objectives.length > 2 * trim) return;
    throw new MultigradError(
      'unsupported',
      `Strategy \`trimmed-mean\` with trim ${trim} needs at least ${2 * trim + 1} objectives in a group. ` +
        `Found ${objectives.length} ${where}: ${objectives.map((name) => `\`${name}\``).join(', ')}.`,
    );
  };
  return {
    specification: 1,
    name: 'trimmed-mean',
    needs: { gradients: 'rows' },
    init({ key, objectives }) {
      assertSize(objectives, `in group \`${key}\``);
      return null;
    },
    integrate({ objectives, step }, state) {
      assertSize(objectives, `at step ${step}`);
      return {
        weights: new Float64Array(objectives.length).fill(1 / objectives.length),
        combine: (rows, algebra) => middleMean(rows, algebra, trim),
        state,
      };
    },
  };
}

function middleMean<Row>(rows: readonly Row[], algebra: RowAlgebra<Row>, trim: number): Row {
  const sorted = [...rows];
  // Odd-even transposition: K rounds sort K rows.
  for (let round = 0; round < sorted.length && trim > 0; round += 1) {
    for (let k = round % 2; k + 1 < sorted.length; k += 2) {
      const [a, b] = [sorted[k]!, sorted[k + 1]!];
      sorted[k] = algebra.minimum(a, b);
      sorted[k + 1] = algebra.maximum(a, b);
    }
  }
  const kept = sorted.slice(trim, sorted.length - trim);
  const share = 1 / kept.length;
  return kept.map((row) => algebra.scale(row, share)).reduce((sum, row) => algebra.add(sum, row));
}
