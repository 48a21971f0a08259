import type { Tensor } from '@tensorflow/tfjs-core';
import { MultigradError } from '../strategy/errors.ts';
import type { Gramian } from '../strategy/gramian.ts';
import { addGramians } from '../strategy/gramian-of.ts';
import { nonFiniteGradient } from './non-finite.ts';
import { finishGramian, type PendingGramian, startGramian } from './row-kernels.ts';
import type { PresentGroup } from './step-context.ts';
import type { TensorBag } from './tensor-bag.ts';

/** K gradients of one tensor of a group, null where an objective does not reach it. */
export interface TensorRows {
  readonly tensor: string;
  readonly rows: readonly (Tensor | null)[];
}

/** Gramians of a group's tensors on their way to the host. */
export interface PendingGroup {
  readonly present: PresentGroup;
  readonly tensors: readonly {
    readonly name: string;
    /** Which of the group's objectives the packed rows belong to. */
    readonly reaching: readonly number[];
    readonly pending: PendingGramian;
  }[];
}

/** Starts the Gramian of each tensor of a group. */
export function startGroup(
  present: PresentGroup,
  tensors: readonly TensorRows[],
  bag: TensorBag,
): PendingGroup {
  return {
    present,
    tensors: tensors.flatMap(({ tensor: name, rows }) => {
      const reaching = [...rows.keys()].filter((k) => rows[k] !== null);
      if (reaching.length === 0) return [];
      const pending = startGramian(reaching.map((k) => rows[k]!));
      bag.keep(pending.packed);
      return [{ name, reaching, pending }];
    }),
  };
}

/** A group's Gramians, read. */
export interface GroupGramians {
  readonly gramian: Gramian;
  readonly tensorGramians: ReadonlyMap<string, Gramian>;
}

/**
 * Adds up the tensors' Gramians in float64.
 *
 * @throws MultigradError `non-finite` naming objective, tensor and step
 */
export function finishGroup(
  { present, tensors }: PendingGroup,
  values: readonly Float32Array[],
  step: number,
): GroupGramians {
  const size = present.names.length;
  const tensorGramians = new Map<string, Gramian>();
  tensors.forEach(({ name, reaching, pending }, index) => {
    const { gramian, nonFinite } = finishGramian(pending, values[index]!);
    const [culprit] = nonFinite;
    if (culprit !== undefined) {
      throw nonFiniteGradient(present.names[reaching[culprit]!]!, present.group.key, name, step);
    }
    tensorGramians.set(name, spread(gramian, reaching, size));
  });
  if (tensors.length === 0) {
    throw new MultigradError(
      'unreached-variable',
      `Group \`${present.group.key}\` should have a tensor that ${present.names.join(', ')} reaches. Found none at step ${step}.`,
    );
  }
  return { gramian: addGramians(tensorGramians.values()), tensorGramians };
}

/** Puts a Gramian of some objectives into the rows and columns of all; the others' gradients are zero. */
function spread(gramian: Gramian, indices: readonly number[], size: number): Gramian {
  if (gramian.size === size) return gramian;
  const values = new Float64Array(size * size);
  indices.forEach((row, i) => {
    indices.forEach((column, j) => {
      values[row * size + column] = gramian.values[i * gramian.size + j]!;
    });
  });
  return { size, values, relativeError: gramian.relativeError };
}
