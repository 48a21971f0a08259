import { MultigradError } from '../strategy/errors.ts';
import type { Gramian } from '../strategy/gramian.ts';
import { addGramians } from '../strategy/gramian-of.ts';
import type { GroupVectors } from './group-vectors.ts';
import { nonFiniteGradient } from './non-finite.ts';
import { finishGramian, type PendingGramian, startGramian } from './row-kernels.ts';
import type { TensorBag } from './tensor-bag.ts';

/** Gramians of a group's tensors on their way to the host. */
export interface PendingGroup {
  readonly vectors: GroupVectors;
  readonly tensors: readonly {
    readonly name: string;
    /** Which of the group's vectors the packed rows belong to. */
    readonly reaching: readonly number[];
    readonly pending: PendingGramian;
  }[];
}

/** Starts the Gramian of each tensor of a group. */
export function startGroup(vectors: GroupVectors, bag: TensorBag): PendingGroup {
  return {
    vectors,
    tensors: vectors.tensors.flatMap(({ tensor: name, rows }) => {
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
  /** Of the first batch's gradients. */
  readonly gramian: Gramian;
  /** The same for each tensor, by name. */
  readonly tensorGramians: ReadonlyMap<string, Gramian>;
  /** Of all vectors. */
  readonly stacked: Gramian;
}

/**
 * Adds up the tensors' Gramians in float64.
 *
 * @throws MultigradError `non-finite` naming objective, tensor and step
 */
export function finishGroup(
  { vectors, tensors }: PendingGroup,
  values: readonly Float32Array[],
  step: number,
): GroupGramians {
  const { present, count, scales } = vectors;
  const size = present.names.length;
  const parts = new Map<string, Gramian>();
  tensors.forEach(({ name, reaching, pending }, index) => {
    const { gramian, nonFinite } = finishGramian(
      pending,
      values[index]!,
      reaching.map((k) => scales[k]!),
    );
    const [culprit] = nonFinite;
    if (culprit !== undefined) {
      const objective = present.names[reaching[culprit]! % size]!;
      throw nonFiniteGradient(objective, present.group.key, name, step);
    }
    parts.set(name, spread(gramian, reaching, count));
  });
  if (tensors.length === 0) {
    throw new MultigradError(
      'unreached-variable',
      `Group \`${present.group.key}\` should have a tensor that ${present.names.join(', ')} reaches. Found none at step ${step}.`,
    );
  }
  const stacked = addGramians(parts.values());
  if (count === size) return { gramian: stacked, tensorGramians: parts, stacked };
  return {
    gramian: leading(stacked, size),
    tensorGramians: new Map(Array.from(parts, ([name, part]) => [name, leading(part, size)])),
    stacked,
  };
}

/** Puts a Gramian of some vectors into the rows and columns of all; the others are zero. */
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

/** The first rows and columns. */
function leading(gramian: Gramian, size: number): Gramian {
  const values = Float64Array.from({ length: size * size }, (_, entry) => {
    return gramian.values[Math.floor(entry / size) * gramian.size + (entry % size)]!;
  });
  return { size, values, relativeError: gramian.relativeError };
}
