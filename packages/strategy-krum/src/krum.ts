import {
  cosineMatrix,
  type GradientStrategy,
  type Gramian,
  MultigradError,
  nonZero,
  norms,
  type OptionsOf,
  resolveOptions,
} from '@multigrad/core/strategy';

/** Descriptions of the options of {@link krum}. */
export const krumOptions = {
  /**
   * f, the number of gradients that may be arbitrarily wrong, an integer >= 0. A group needs f + 3 objectives.
   *
   * @defaultValue 0
   */
  byzantine: {
    kind: 'number',
    default: 0,
    integer: true,
    minimum: 0,
    description:
      'Number of gradients that may be arbitrarily wrong, an integer >= 0; a group needs three objectives more.',
  },
  /**
   * m, the number of gradients to average, an integer >= 1; more than 1 is Multi-Krum. A group needs m objectives.
   *
   * @defaultValue 1
   */
  selected: {
    kind: 'number',
    default: 1,
    integer: true,
    minimum: 1,
    description: 'Number of gradients to average, an integer >= 1; more than 1 is Multi-Krum.',
  },
} as const;

/** Options of {@link krum}. */
export interface KrumOptions extends OptionsOf<typeof krumOptions> {}

/**
 * Krum and Multi-Krum: the average of the m gradients that lie closest to their neighbours.
 *
 * `score_i` is the sum of the `K − f − 2` smallest `|g_i − g_j|²`, j ≠ i. The m objectives of smallest score have the
 * weight `1 / m`, the others 0; of equal scores the first objectives win. It suits objectives that estimate one
 * gradient, such as the loss of one model on the data of K owners, f of which may be wrong; on objectives that really
 * differ it drops some.
 *
 * The update has the size of one gradient, and may conflict with the objectives that are dropped. Multiplying all
 * gradients by a factor multiplies the update by it. Zero, duplicated and opposite gradients are points like any other.
 *
 * A group needs `max(f + 3, m)` objectives: with fewer the sum would be empty, also at a step at which some are absent.
 *
 * @remarks
 * The paper proves resilience for `K > 2f + 2`; fewer objectives, down to f + 3, are let through. It sums squared
 * distances, as is done here; some implementations sum the distances.
 *
 * @throws MultigradError `invalid-option` for options that do not fit; `init` and `integrate` throw `unsupported` for
 * fewer objectives than needed
 *
 * @example
 * ```ts
 * import { integrateMatrix } from '@multigrad/core/strategy';
 * import { krum } from '@multigrad/strategy-krum';
 *
 * const { update } = integrateMatrix(krum({ byzantine: 1, selected: 2 }), [
 *   [1, 0],
 *   [1, 0.5],
 *   [75, -16],
 *   [2, 0.5],
 * ]);
 * console.log(update); // Float64Array(2) [ 1, 0.25 ]
 * ```
 *
 * @see P. Blanchard, E. M. El Mhamdi, R. Guerraoui, J. Stainer, "Machine Learning with Adversaries: Byzantine Tolerant
 * Gradient Descent", NeurIPS 2017, section 4.
 * https://papers.nips.cc/paper/2017/hash/f4b9ec30ad9f68f89b29639786cb62ef-Abstract.html
 */
export function krum(options: KrumOptions = {}): GradientStrategy<null> {
  const { byzantine, selected } = resolveOptions<KrumOptions>('krum', krumOptions, options);
  const assertSize = (objectives: readonly string[], where: string): void => {
    const needed = Math.max(byzantine + 3, selected);
    if (objectives.length >= needed) return;
    throw new MultigradError(
      'unsupported',
      `Strategy \`krum\` with byzantine ${byzantine} and selected ${selected} needs at least ${needed} objectives in a ` +
        `group. Found ${objectives.length} ${where}: ${objectives.map((name) => `\`${name}\``).join(', ')}.`,
    );
  };
  return {
    specification: 1,
    name: 'krum',
    needs: { gradients: 'gramian' },
    init({ key, objectives }) {
      assertSize(objectives, `in group \`${key}\``);
      return null;
    },
    integrate({ objectives, gramian, step }, state) {
      assertSize(objectives, `at step ${step}`);
      const scores = scoresOf(gramian, gramian.size - byzantine - 2);
      const weights = new Float64Array(gramian.size);
      for (let turn = 0; turn < selected; turn++) {
        // Of equal scores the first wins.
        let best = 0;
        for (let k = 1; k < scores.length; k++) if (scores[k]! < scores[best]!) best = k;
        scores[best] = Infinity;
        weights[best] = 1 / selected;
      }
      return { weights, state };
    },
  };
}

/** The sum of each row's smallest squared distances from the others, divided by the square of the longest row. */
function scoresOf(gramian: Gramian, neighbours: number): Float64Array {
  const { size } = gramian;
  const lengths = norms(gramian);
  let longest = 0;
  for (let k = 0; k < size; k++) longest = Math.max(longest, lengths[k]!);
  const relative = new Float64Array(size);
  for (let k = 0; k < size; k++) relative[k] = longest > 0 ? lengths[k]! / longest : 0;
  const cosines = cosineMatrix(gramian, nonZero(lengths));
  // Row i without its distance to itself.
  const others = size - 1;
  const distances = new Float64Array(size * others);
  for (let i = 0, a = 0; i < size; i++) {
    for (let j = i + 1, b = relative[i]! > 0 ? a + 1 : a; j < size; j++) {
      const [p, q] = [relative[i]!, relative[j]!];
      // A zero row is not among the cosines. Its length of zero makes the term zero.
      const cosine = p > 0 && q > 0 ? cosines.values[a * cosines.size + b]! : 0;
      // The difference of the lengths is a term of its own, so that duplicates have the distance 0, whatever their
      // length.
      const squared = (p - q) * (p - q) + 2 * p * q * (1 - cosine);
      distances[i * others + j - 1] = squared;
      distances[j * others + i] = squared;
      if (q > 0) b++;
    }
    if (relative[i]! > 0) a++;
  }
  const scores = new Float64Array(size);
  for (let i = 0; i < size; i++) {
    const start = i * others;
    sortStretch(distances, start, start + others);
    for (let at = start; at < start + neighbours; at++) scores[i]! += distances[at]!;
  }
  return scores;
}

/** Sorts the numbers from `start` up to `end`; short stretches without a call into the engine's own sort. */
function sortStretch(values: Float64Array, start: number, end: number): void {
  if (end - start > 16) {
    values.subarray(start, end).sort();
    return;
  }
  for (let i = start + 1; i < end; i++) {
    const value = values[i]!;
    let at = i;
    for (; at > start && values[at - 1]! > value; at--) values[at] = values[at - 1]!;
    values[at] = value;
  }
}
