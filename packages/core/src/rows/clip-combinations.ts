import { dispose } from '@tensorflow/tfjs-core';
import type { Combination } from './combination.ts';
import type { ClipOptions } from './clip-gradients.ts';
import { readTogether } from '../tape/read-back.ts';
import { finishGramian, startGramian } from './row-kernels.ts';

/**
 * Gradients that have not been added up, within limits on their norms: `|Σ_k w_k g_k|² = wᵀ G w` with the Gramian G of the
 * rows, in float64, so that no sum has to exist; what changes are weights.
 *
 * @param groups - names of each group's gradients
 * @param sum - adds up over the ranks, where the rows are slices of theirs
 */
export async function clipCombinations(
  combinations: ReadonlyMap<string, Combination | null>,
  groups: readonly (readonly string[])[],
  { groupNorm, globalNorm }: Omit<ClipOptions, 'value'>,
  sum: (squares: Float64Array) => Promise<Float64Array>,
): Promise<ReadonlyMap<string, Combination | null>> {
  const squares = await squaredNorms(combinations);
  const factors = new Map<string, number>();
  const limit = async (sets: readonly (readonly string[])[], most: number): Promise<void> => {
    const add = (total: number, name: string): number =>
      total + (squares.get(name) ?? 0) * (factors.get(name) ?? 1) ** 2;
    const own = Float64Array.from(sets, (names) => names.reduce(add, 0));
    const totals = await sum(own);
    sets.forEach((names, index) => {
      const norm = Math.sqrt(totals[index]!);
      if (norm <= most) return;
      for (const name of names) factors.set(name, ((factors.get(name) ?? 1) * most) / norm);
    });
  };
  if (groupNorm !== undefined) await limit(groups, groupNorm);
  if (globalNorm !== undefined) await limit([[...combinations.keys()]], globalNorm);
  return new Map(
    Array.from(combinations, ([name, combination]) => {
      const factor = factors.get(name) ?? 1;
      if (combination === null || factor === 1) return [name, combination];
      const { rows, weights } = combination;
      return [name, { rows, weights: weights.map((weight) => weight * factor) }];
    }),
  );
}

/** `wᵀ G w` of each gradient, by name; one read-back. */
async function squaredNorms(
  combinations: ReadonlyMap<string, Combination | null>,
): Promise<ReadonlyMap<string, number>> {
  const started = Array.from(combinations).flatMap(([name, combination]) =>
    // A slice of a small variable may be empty.
    combination === null || combination.rows[0]!.size === 0
      ? []
      : [{ name, weights: combination.weights, pending: startGramian(combination.rows) }],
  );
  const packed = started.map(({ pending }) => pending.packed);
  try {
    const values = await readTogether(packed);
    return new Map(
      started.map(({ name, weights, pending }, index) => {
        const { size, values: gramian } = finishGramian(pending, values[index]!).gramian;
        const square = gramian.reduce(
          (sum, product, k) => sum + product * weights[Math.floor(k / size)]! * weights[k % size]!,
          0,
        );
        // Rounding may leave a little below zero where rows cancel.
        return [name, Math.max(0, square)];
      }),
    );
  } finally {
    dispose(packed);
  }
}
