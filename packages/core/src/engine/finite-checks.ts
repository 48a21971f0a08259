import type { Tensor, Variable } from '@tensorflow/tfjs-core';
import type { GradientExchange } from './gradient-exchange.ts';
import { finishGramian, type PendingGramian, startGramian } from './row-kernels.ts';
import type { TensorBag } from './tensor-bag.ts';

/** Whether a variable's gradient is finite, on its way to the host. */
export interface FiniteCheck {
  readonly variable: string;
  readonly pending: PendingGramian;
}

/** Starts the checks of gradients, one for each variable; null where there is none. */
export function startChecks(
  variables: readonly Variable[],
  gradients: readonly (Tensor | null)[],
  bag: TensorBag,
): FiniteCheck[] {
  return variables.flatMap(({ name }, index) => {
    const gradient = gradients[index] ?? null;
    if (gradient === null || gradient.size === 0) return [];
    const pending = startGramian([gradient]);
    bag.keep(pending.packed);
    return [{ variable: name, pending }];
  });
}

/**
 * The first variable whose gradient is not finite, on this rank or any other.
 *
 * @param values - what was read of the checks
 */
export async function firstNonFinite(
  variables: readonly Variable[],
  checks: readonly FiniteCheck[],
  values: readonly Float32Array[],
  exchange: GradientExchange | null,
): Promise<string | null> {
  const broken = new Set(
    checks
      .filter(({ pending }, index) => finishGramian(pending, values[index]!).nonFinite.length > 0)
      .map(({ variable }) => variable),
  );
  const flags = Float64Array.from(variables, ({ name }) => Number(broken.has(name)));
  const all = exchange === null ? flags : await exchange.sum(flags);
  return variables.find((_, index) => all[index]! > 0)?.name ?? null;
}
