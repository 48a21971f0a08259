import { dispose, mul, type Tensor, tidy } from '@tensorflow/tfjs-core';
import { clipGradients, type ClipOptions, type NamedGradients } from '../rows/clip-gradients.ts';
import type { GradientExchange } from './gradient-exchange.ts';
import { readTogether } from '../tape/read-back.ts';
import { finishGramian, startGramian } from '../rows/row-kernels.ts';

/**
 * `clipGradients` of whole gradients, from this rank's parts of them: norms are over all ranks. New tensors, null where
 * there is none.
 *
 * @param groups - names of each group's gradients
 */
export async function clipSlices(
  slices: NamedGradients,
  groups: readonly (readonly string[])[],
  { value, groupNorm, globalNorm }: ClipOptions,
  exchange: GradientExchange,
): Promise<NamedGradients> {
  let clipped = clipGradients(slices, groups, value === undefined ? {} : { value });
  if (groupNorm !== undefined) clipped = await limitNorms(clipped, groups, groupNorm, exchange);
  if (globalNorm !== undefined) {
    clipped = await limitNorms(clipped, [[...slices.keys()]], globalNorm, exchange);
  }
  return clipped;
}

/** Takes the slices over. */
async function limitNorms(
  slices: NamedGradients,
  sets: readonly (readonly string[])[],
  limit: number,
  exchange: GradientExchange,
): Promise<NamedGradients> {
  const entries = [...slices];
  const present = entries.flatMap(([name, slice]) =>
    slice === null || slice.size === 0 ? [] : [{ name, pending: startGramian([slice]) }],
  );
  const packed = present.map(({ pending }) => pending.packed);
  try {
    const values = await readTogether(packed);
    const squares = new Map(
      present.map(({ name, pending }, index) => {
        return [name, finishGramian(pending, values[index]!).gramian.values[0]!];
      }),
    );
    const totals = await exchange.sum(
      Float64Array.from(sets, (names) =>
        names.reduce((total, name) => total + (squares.get(name) ?? 0), 0),
      ),
    );
    const factors = new Map(
      sets.flatMap((names, index) => {
        const norm = Math.sqrt(totals[index]!);
        // A zero gradient stays zero, and what is not finite stays so.
        const factor = norm > 0 || Number.isNaN(norm) ? Math.min(1, limit / norm) : 1;
        return names.map((name) => [name, factor] as const);
      }),
    );
    return new Map(
      entries.map(([name, slice]): [string, Tensor | null] => [
        name,
        slice === null ? null : tidy(() => mul(slice, factors.get(name) ?? 1)),
      ]),
    );
  } finally {
    dispose([...packed, ...presentOf(slices)]);
  }
}

function presentOf(slices: NamedGradients): Tensor[] {
  return [...slices.values()].filter((slice) => slice !== null);
}
