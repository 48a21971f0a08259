import { add, clipByValue, dispose, mul, type Tensor, tidy } from '@tensorflow/tfjs-core';
import { quadraticForm } from '../algebra/gramian-forms.ts';
import { MultigradError } from '../base/errors.ts';
import { checkKnownOptions } from '../base/known-options.ts';
import { readTogether } from '../tape/read-back.ts';
import {
  type Combination,
  type Combinations,
  materialise,
  scaledCombination,
} from './combination.ts';
import { finishGramian, startGramian } from './gramian-of-rows.ts';

/** Limits on gradients, applied in this order; each a finite number > 0. */
export interface ClipOptions {
  /** On the absolute value of each number: `max(−value, min(value, g))`. @defaultValue none */
  readonly value?: number;
  /** On the Euclidean norm of each group: `g · min(1, groupNorm / |g|)`. @defaultValue none */
  readonly groupNorm?: number;
  /** On the Euclidean norm of all gradients together. @defaultValue none */
  readonly globalNorm?: number;
}

/**
 * Checks limits on gradients.
 *
 * @param option - the name of the option in messages
 * @throws MultigradError `invalid-option`
 */
export function checkClip(option: string, clip: ClipOptions): void {
  checkKnownOptions(option, clip, { value: true, groupNorm: true, globalNorm: true });
  for (const [name, limit] of Object.entries(clip) as [string, number | undefined][]) {
    if (limit === undefined || (Number.isFinite(limit) && limit > 0)) continue;
    throw new MultigradError(
      'invalid-option',
      `Option \`${option}.${name}\` should be a finite number > 0. Found ${limit}.`,
    );
  }
}

/** Multiplies limits by `factor`, for gradients that are `factor` times too large. */
export function scaledClip(clip: ClipOptions, factor: number): ClipOptions {
  return Object.fromEntries(
    Object.entries(clip).flatMap(([name, limit]: [string, number | undefined]) =>
      limit === undefined ? [] : [[name, limit * factor]],
    ),
  );
}

/** The input of clipping beside gradients and limits. */
export interface Clipping {
  /** Names of each group's gradients. */
  readonly groups: readonly (readonly string[])[];
  /** Adds numbers up over the ranks, where rows are slices of theirs. */
  readonly sum: (squares: Float64Array) => Promise<Float64Array>;
  /** Takes over a tensor that was made in place of a gradient. */
  readonly own: (made: Tensor, gradient: Combination) => void;
}

/**
 * Keeps gradients within limits. A limit on numbers makes new tensors; a limit on norms multiplies weights alone, by a
 * factor in float64, so a gradient that is a sum of rows need not be added up.
 *
 * All norms are read back together, `|Σ_k w_k g_k|² = wᵀ G w` with the Gramian G of the rows. A set with NaN or infinity
 * is left as it is: the check for finite numbers then names the gradient.
 *
 * @param sets - gradients by name; `globalNorm` is that of one set, such as the gradients of one objective
 */
export async function clipGradients(
  sets: readonly Combinations[],
  { value, groupNorm, globalNorm }: ClipOptions,
  { groups, sum, own }: Clipping,
): Promise<readonly Combinations[]> {
  const bounded = value === undefined ? sets : sets.map((set) => clipNumbers(set, value, own));
  if (groupNorm === undefined && globalNorm === undefined) return bounded;
  const squares = await squaredNorms(bounded);
  const factors = bounded.map(() => new Map<string, number>());
  const limit = async (
    partsOf: (set: Combinations) => readonly (readonly string[])[],
    most: number,
  ): Promise<void> => {
    const parts = bounded.flatMap((set, index) => partsOf(set).map((names) => ({ names, index })));
    const squareOf = ({ names, index }: (typeof parts)[number]): number =>
      names.reduce((total, name) => {
        const factor = factors[index]!.get(name) ?? 1;
        return total + (squares[index]!.get(name) ?? 0) * factor ** 2;
      }, 0);
    const totals = await sum(Float64Array.from(parts, squareOf));
    parts.forEach(({ names, index }, place) => {
      const norm = Math.sqrt(totals[place]!);
      if (!(norm > most && norm < Infinity)) return;
      const own = factors[index]!;
      for (const name of names) own.set(name, ((own.get(name) ?? 1) * most) / norm);
    });
  };
  if (groupNorm !== undefined) await limit(() => groups, groupNorm);
  if (globalNorm !== undefined) await limit((set) => [[...set.keys()]], globalNorm);
  return bounded.map((set, index) => scaled(set, factors[index]!));
}

function clipNumbers(set: Combinations, value: number, own: Clipping['own']): Combinations {
  return new Map(
    Array.from(set, ([name, gradient]) => {
      if (gradient === null) return [name, null];
      const made = tidy(() => {
        const sum = materialise(gradient);
        // Clipping turns infinity into the limit; adding `sum · 0` keeps it NaN, so that checks find it.
        return add(clipByValue(sum, -value, value), mul(sum, 0));
      });
      own(made, gradient);
      return [name, { rows: [made], weights: [1] }];
    }),
  );
}

/** Multiplies gradients by their factors; a gradient without one stays as it is. */
function scaled(set: Combinations, factors: ReadonlyMap<string, number>): Combinations {
  return new Map(
    Array.from(set, ([name, gradient]) => {
      const factor = factors.get(name) ?? 1;
      if (gradient === null || factor === 1) return [name, gradient];
      return [name, scaledCombination(gradient, factor)];
    }),
  );
}

/** The squared norm of each gradient, by set and name: `wᵀ G w` in float64; one read-back. */
async function squaredNorms(
  sets: readonly Combinations[],
): Promise<readonly ReadonlyMap<string, number>[]> {
  const started = sets.flatMap((set, index) =>
    Array.from(set).flatMap(([name, gradient]) =>
      // A slice of a small variable may be empty.
      gradient === null || gradient.rows[0]!.size === 0
        ? []
        : [{ index, name, gradient, pending: startGramian(gradient.rows) }],
    ),
  );
  const packed = started.map(({ pending }) => pending.packed);
  try {
    const values = await readTogether(packed);
    const squares = sets.map(() => new Map<string, number>());
    started.forEach(({ index, name, gradient: { weights }, pending }, place) => {
      const { gramian } = finishGramian(pending, values[place]!);
      const square = quadraticForm(gramian, Float64Array.from(weights));
      // Rounding may leave a little below zero where rows cancel.
      squares[index]!.set(name, Math.max(0, square));
    });
    return squares;
  } finally {
    dispose(packed);
  }
}
