import {
  abs,
  add,
  clipByValue,
  div,
  max,
  maximum,
  minimum,
  mul,
  scalar,
  sqrt,
  square,
  sum,
  type Tensor,
} from '@tensorflow/tfjs-core';
import { MultigradError } from '../base/errors.ts';
import { smallest } from './row-kernels.ts';
import { scoped } from '../tape/ownership.ts';

/** Gradients by name; null where there is none. */
export type NamedGradients = ReadonlyMap<string, Tensor | null>;

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
 * @param option - what messages call it
 * @throws MultigradError `invalid-option`
 */
export function checkClip(option: string, clip: ClipOptions): void {
  for (const [name, limit] of Object.entries(clip) as [string, number | undefined][]) {
    const known = ['value', 'groupNorm', 'globalNorm'].includes(name);
    if (known && (limit === undefined || (Number.isFinite(limit) && limit > 0))) continue;
    throw new MultigradError(
      'invalid-option',
      known
        ? `Option \`${option}.${name}\` should be a finite number > 0. Found ${limit}.`
        : `Option \`${option}\` should hold value, groupNorm or globalNorm. Found \`${name}\`.`,
    );
  }
}

/** The limits for gradients that are `factor` times as large. */
export function scaledClip(clip: ClipOptions, factor: number): ClipOptions {
  return Object.fromEntries(
    Object.entries(clip).flatMap(([name, limit]: [string, number | undefined]) =>
      limit === undefined ? [] : [[name, limit * factor]],
    ),
  );
}

/**
 * The gradients within the limits; new tensors, null where there is none. Nothing is read back, and what is not finite
 * stays so.
 *
 * @param groups - names of each group's gradients
 */
export function clipGradients(
  gradients: NamedGradients,
  groups: readonly (readonly string[])[],
  { value, groupNorm, globalNorm }: ClipOptions,
): NamedGradients {
  const entries = scoped(() => {
    let clipped = new Map(gradients);
    const each = (names: Iterable<string>, change: (gradient: Tensor) => Tensor): void => {
      clipped = new Map(clipped);
      for (const name of names) {
        const gradient = clipped.get(name) ?? null;
        if (gradient !== null) clipped.set(name, change(gradient));
      }
    };
    const limitNorm = (names: readonly string[], limit: number): void => {
      const present = names.flatMap((name) => clipped.get(name) ?? []);
      if (present.length === 0) return;
      const factor = normFactor(present, limit);
      each(names, (gradient) => mul(gradient, factor));
    };
    if (value !== undefined) {
      // Infinity would become the limit, and nobody would know.
      each([...clipped.keys()], (gradient) =>
        add(clipByValue(gradient, -value, value), mul(gradient, 0)),
      );
    }
    if (groupNorm !== undefined) for (const names of groups) limitNorm(names, groupNorm);
    if (globalNorm !== undefined) limitNorm([...clipped.keys()], globalNorm);
    // What nothing changed is the caller's still: the result holds copies that share its data.
    return Array.from(clipped, ([name, gradient]): [string, Tensor | null] => [
      name,
      gradient?.clone() ?? null,
    ]);
  });
  return new Map(entries);
}

/** `min(1, limit / norm)`; the squares are of numbers up to 1, which neither overflow nor vanish. */
function normFactor(gradients: readonly Tensor[], limit: number): Tensor {
  // A zero gradient stays zero.
  const largest = gradients.reduce<Tensor>(
    (most, gradient) => maximum(most, max(abs(gradient))),
    scalar(smallest()),
  );
  const squares = gradients.map((gradient) => sum(square(div(gradient, largest))));
  const relative = sqrt(squares.reduce((total, one) => add(total, one)));
  const factor = minimum(1, div(div(limit, largest), maximum(relative, smallest())));
  // A norm that is too large for half precision would make zeros of all, and nobody would know.
  return add(factor, mul(relative, 0));
}
