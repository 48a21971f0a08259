import { MultigradError } from '../base/errors.ts';
import { hasKernel, runKernel } from '../kernels/run-kernel.ts';
import { namedRows } from './combination.ts';
import { finishGramian, startGramian } from './gramian-of-rows.ts';
import type { TensorBag } from '../tape/ownership.ts';
import { type Tensor, tidy } from '@tensorflow/tfjs-core';

/** A check of which gradients are finite, before its result is read. */
export interface FiniteChecks {
  /** Small tensors to be read together with others. */
  readonly packed: readonly Tensor[];
  /** Returns the names of the variables whose gradients are not finite, from the values read. */
  readonly broken: (values: readonly Float32Array[]) => readonly string[];
}

/** Starts the checks of gradients, one for each variable; null where there is none. */
export function startChecks(
  variables: readonly { readonly name: string }[],
  gradients: readonly (Tensor | null)[],
  bag: TensorBag,
): FiniteChecks {
  const found = variables.flatMap(({ name }, index) => {
    const gradient = gradients[index] ?? null;
    return gradient === null || gradient.size === 0 ? [] : [{ name, gradient }];
  });
  const nameAt = (index: number): string => found[index]!.name;
  const rows = found.map(({ gradient }) => gradient);
  if (rows.length > 0 && hasKernel('FiniteRows')) {
    const [finite] = bag.keepAll(tidy(() => runKernel('FiniteRows', namedRows(rows))));
    return {
      packed: [finite!],
      broken: ([flags]) => [...rows.keys()].filter((k) => flags![k] !== 1).map(nameAt),
    };
  }
  const pending = rows.map((row) => startGramian([row]));
  return {
    packed: bag.keepAll(pending.map(({ packed }) => packed)),
    broken: (values) =>
      [...rows.keys()]
        .filter((k) => finishGramian(pending[k]!, values[k]!).nonFinite.length > 0)
        .map(nameAt),
  };
}

/**
 * Finds the first variable whose gradient is not finite on any rank.
 *
 * @param values - the values of the checks, as read
 * @param sum - adds numbers up over the ranks
 */
export async function firstNonFinite(
  variables: readonly { readonly name: string }[],
  checks: FiniteChecks,
  values: readonly Float32Array[],
  sum: (flags: Float64Array) => Promise<Float64Array>,
): Promise<string | null> {
  const broken = new Set(checks.broken(values));
  const flags = Float64Array.from(variables, ({ name }) => Number(broken.has(name)));
  const all = await sum(flags);
  return variables.find((_, index) => all[index]! > 0)?.name ?? null;
}

const ofGradients = new WeakSet<MultigradError>();

/** Whether an error says that a gradient is NaN or infinite while its loss is finite. */
export function isNonFiniteGradient(error: unknown): error is MultigradError {
  return MultigradError.isInstance(error) && ofGradients.has(error);
}

/** Makes the error for a gradient that is NaN or infinite. */
export function nonFiniteGradient(
  objective: string | null,
  group: string,
  tensor: string,
  step: number,
): MultigradError {
  const whose =
    objective === null ? 'The weighted sum of all objectives' : `Objective \`${objective}\``;
  const error = new MultigradError(
    'non-finite',
    `${whose} has a gradient that is not finite for \`${tensor}\` (group \`${group}\`) at step ${step}. ` +
      'Expected finite numbers: check the learning rate, divisions by zero and logarithms of zero.',
  );
  ofGradients.add(error);
  return error;
}
