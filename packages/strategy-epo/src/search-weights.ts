import {
  type Gramian,
  innerProducts,
  minNormPoint,
  norms,
  solveLinearProgram,
} from '@multigrad/core/strategy';

/** What a step is to bring about. */
export interface Aims {
  /** Which objectives have the greatest preferred loss. */
  readonly worst: readonly boolean[];
  /** a over the greatest preference, K numbers: a step along `−Σ a_k g_k` lowers the non-uniformity. */
  readonly pulls: readonly number[];
  /** The greatest preference. */
  readonly scale: number;
  /** Whether the preferred losses are balanced, so that the step descends. */
  readonly isBalanced: boolean;
  /** Whether a descent may leave the balance. */
  readonly relax: boolean;
}

/** Weights of the gradients, and what to say of them. */
export interface Found {
  /** K numbers >= 0 with the sum 1. */
  readonly weights: Float64Array;
  readonly note?: string;
}

/** The weights of one step: the solution of the linear program that its aims ask for. */
export function searchWeights(
  gramian: Gramian,
  { worst, pulls, scale, isBalanced, relax }: Aims,
): Found {
  const { size } = gramian;
  const rows = relativeRows(gramian);
  // ⟨g_k, Σ_j a_j g_j⟩ over the length of the longest gradient, and over that of g_k.
  const relative = { size, values: Float64Array.from(rows.flatMap((row) => [...row])) };
  const gains = innerProducts(relative, Float64Array.from(pulls));
  const lengths = relativeLengths(gramian);
  const objective = gains.map((gain, k) => gain * lengths[k]!);
  const ones = [new Float64Array(size).fill(1)];
  const solve = (
    maximized: ArrayLike<number>,
    least: ArrayLike<number>,
    more: readonly ArrayLike<number>[] = [],
  ): Float64Array | null =>
    solveLinearProgram({
      objective: maximized,
      atLeast: [...rows, ...more],
      least,
      equal: ones,
      values: [1],
    });

  if (!isBalanced) {
    const somePull = gains.some((gain) => gain > 0);
    const least = gains.map((gain, k) => {
      if (!somePull || worst[k]!) return 0;
      return gain > 0 ? -Infinity : gain * scale;
    });
    const weights = solve(objective, least);
    return weights === null ? unsolved(gramian) : { weights };
  }
  const total = new Float64Array(size);
  rows.forEach((row, k) => {
    for (let j = 0; j < size; j += 1) total[j]! += row[j]! * lengths[k]!;
  });
  const none = new Float64Array(size);
  if (!relax) {
    const bound = Math.min(0, Math.max(...objective));
    const weights = solve(total, [...none, bound], [objective]);
    if (weights !== null) return { weights, note: 'descent' };
  }
  const weights = solve(total, none);
  if (weights === null) return unsolved(gramian);
  return { weights, note: relax ? 'descent' : 'relaxed' };
}

/**
 * The programs always have a solution for exact inner products. With rounded ones of nearly stationary gradients there may
 * be none; the shortest combination is the least harmful then.
 */
function unsolved(gramian: Gramian): Found {
  return { weights: minNormPoint(gramian).weights, note: 'unsolved' };
}

/** The rows of G over the length of their own gradient and of the longest one: entries up to 1. */
function relativeRows(gramian: Gramian): readonly Float64Array[] {
  const { size, values } = gramian;
  const lengths = norms(gramian);
  const longest = lengths.reduce((most, length) => Math.max(most, length), 0) || 1;
  return Array.from(lengths, (length, i) =>
    values.subarray(i * size, (i + 1) * size).map((value) => value / longest / (length || 1)),
  );
}

function relativeLengths(gramian: Gramian): Float64Array {
  const lengths = norms(gramian);
  const longest = lengths.reduce((most, length) => Math.max(most, length), 0) || 1;
  return lengths.map((length) => length / longest);
}
