import { type Tensor, tensor1d } from '@tensorflow/tfjs-core';
import type { GradientExchange } from '../collective/gradient-exchange.ts';
import type { RunVariable } from '../network/run-variables.ts';
import type { TensorBag } from '../tape/tensor-bag.ts';

/** A gradient that is to be added up over the ranks; null where this rank has none. */
export interface OwnRow {
  readonly gradient: Tensor | null;
  /** Numbers in it on every rank. */
  readonly size: number;
}

/**
 * This rank's slices of the sums of gradients over the ranks, flat; some may be empty.
 *
 * @param rows - of the same sizes in the same order on every rank
 */
export async function scatterRows(
  exchange: GradientExchange,
  rows: readonly OwnRow[],
  bag: TensorBag,
): Promise<readonly Tensor[]> {
  const slices = await exchange.reduceScatter(
    rows.map(({ gradient, size }) => ({
      size,
      read: async () => (gradient === null ? null : gradient.data<'float32'>()),
    })),
  );
  return bag.keepAll(slices.map((values) => tensor1d(values)));
}

/** The same for gradients of variables, one for each; null for those that `reached` leaves out. */
export async function scatterGradients(
  { exchange }: { readonly exchange: GradientExchange },
  variables: readonly RunVariable[],
  gradients: readonly (Tensor | null)[],
  reached: (variable: string) => boolean,
  bag: TensorBag,
): Promise<readonly (Tensor | null)[]> {
  const taking = [...variables.keys()].filter((index) => reached(variables[index]!.name));
  const slices = await scatterRows(
    exchange,
    taking.map((index) => ({
      gradient: gradients[index] ?? null,
      size: variables[index]!.variable.size,
    })),
    bag,
  );
  return variables.map((_, index) => slices[taking.indexOf(index)] ?? null);
}
