import {
  add,
  clipByValue,
  div,
  maximum,
  minimum,
  mul,
  type NamedTensorMap,
  scalar,
  sqrt,
  square,
  sum,
  type Tensor,
} from '@tensorflow/tfjs-core';
import type { ParameterGroup } from '../engine/groups.ts';
import { scoped } from '../engine/scoped.ts';
import { MultigradError } from '../strategy/errors.ts';

/** Limits on integrated gradients, applied in this order; each a finite number > 0. */
export interface ClipOptions {
  /** On the absolute value of each number: `max(−value, min(value, g))`. @defaultValue none */
  readonly value?: number;
  /** On the Euclidean norm of each group: `g · min(1, groupNorm / |g|)`. @defaultValue none */
  readonly groupNorm?: number;
  /** On the Euclidean norm of all gradients together. @defaultValue none */
  readonly globalNorm?: number;
}

/** @throws MultigradError `invalid-option` */
export function checkClip(clip: ClipOptions): void {
  for (const [name, limit] of Object.entries(clip) as [string, number | undefined][]) {
    const known = ['value', 'groupNorm', 'globalNorm'].includes(name);
    if (known && (limit === undefined || (Number.isFinite(limit) && limit > 0))) continue;
    throw new MultigradError(
      'invalid-option',
      known
        ? `Option \`clip.${name}\` should be a finite number > 0. Found ${limit}.`
        : `Option \`clip\` should hold value, groupNorm or globalNorm. Found \`${name}\`.`,
    );
  }
}

/** The gradients within the limits; new tensors, null where there is none. Nothing is read back. */
export function clipGradients(
  gradients: NamedTensorMap,
  groups: readonly ParameterGroup[],
  { value, groupNorm, globalNorm }: ClipOptions,
): NamedTensorMap {
  return scoped(() => {
    let clipped = new Map<string, Tensor | null>(Object.entries(gradients));
    const each = (names: Iterable<string>, change: (gradient: Tensor) => Tensor): void => {
      clipped = new Map(clipped);
      for (const name of names) {
        const gradient = clipped.get(name) ?? null;
        if (gradient !== null) clipped.set(name, change(gradient));
      }
    };
    const limitNorm = (names: readonly string[], limit: number): void => {
      const squares = names.flatMap((name) => {
        const gradient = clipped.get(name) ?? null;
        return gradient === null ? [] : [sum(square(gradient))];
      });
      if (squares.length === 0) return;
      const norm = sqrt(squares.reduce((total, one) => add(total, one)));
      // A zero gradient stays zero.
      const factor = minimum(1, div(limit, maximum(norm, scalar(1e-30))));
      each(names, (gradient) => mul(gradient, factor));
    };
    if (value !== undefined) {
      each([...clipped.keys()], (gradient) => clipByValue(gradient, -value, value));
    }
    if (groupNorm !== undefined) for (const group of groups) limitNorm(group.variables, groupNorm);
    if (globalNorm !== undefined) limitNorm([...clipped.keys()], globalNorm);
    // What nothing changed is the caller's still: the result holds copies that share its data.
    return Object.fromEntries(
      Array.from(clipped, ([name, gradient]) => [name, gradient?.clone() ?? null]),
    ) as NamedTensorMap;
  });
}
