import { MultigradError } from '../base/errors.ts';
import type { Gramian } from '../algebra/gramian.ts';
import { addGramians } from '../algebra/gramian-of.ts';
import type { GradientExchange } from '../collective/gradient-exchange.ts';
import type { GroupVectors } from './group-vectors.ts';
import { nonFiniteGradient } from '../rows/non-finite.ts';
import {
  finishGramian,
  type PendingGramian,
  smallestError,
  startGramian,
} from '../rows/row-kernels.ts';
import type { TensorBag } from '../tape/tensor-bag.ts';

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
      // A slice of another rank's may be all there is of a small tensor.
      const reaching = [...rows.keys()].filter((k) => (rows[k]?.size ?? 0) > 0);
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
 * Adds up the Gramians of groups in float64: those of their tensors, and of the ranks' slices of each.
 *
 * @param values - what was read of the groups' tensors, in order
 * @throws MultigradError `non-finite` naming objective, tensor and step
 */
export async function finishGroups(
  groups: readonly PendingGroup[],
  values: readonly Float32Array[],
  step: number,
  exchange: GradientExchange | null,
): Promise<readonly GroupGramians[]> {
  const left = [...values];
  const own = groups.map((group) => tensorParts(group, left.splice(0, group.tensors.length)));
  const parts = exchange === null ? own : await sumParts(exchange, groups, own);
  return groups.map((group, index) => addParts(group, parts[index]!, step));
}

/** By tensor, in the rows and columns of all the group's vectors. */
type Parts = ReadonlyMap<string, Gramian>;

function tensorParts({ vectors, tensors }: PendingGroup, values: readonly Float32Array[]): Parts {
  return new Map(
    tensors.map(({ name, reaching, pending }, index) => {
      const { gramian, nonFinite } = finishGramian(
        pending,
        values[index]!,
        reaching.map((k) => vectors.scales[k]!),
      );
      const part = spread(gramian, reaching, vectors.count);
      for (const culprit of nonFinite) {
        part.values[reaching[culprit]! * (part.size + 1)] = NaN;
      }
      return [name, part];
    }),
  );
}

/** Adds up the ranks' parts, of every tensor that any of them reaches. */
async function sumParts(
  exchange: GradientExchange,
  groups: readonly PendingGroup[],
  own: readonly Parts[],
): Promise<readonly Parts[]> {
  const places = groups.flatMap(({ vectors: { tensors, count, present } }, group) =>
    tensors
      .filter(({ rows }) => present.group.feature !== null || rows.some((row) => row !== null))
      .map(({ tensor }) => ({ group, tensor, count })),
  );
  const sums = await exchange.sum(
    Float64Array.from(
      places.flatMap(({ group, tensor, count }) => {
        const part = own[group]!.get(tensor);
        return part === undefined ? new Array<number>(count * count).fill(0) : [...part.values];
      }),
    ),
  );
  const parts = groups.map(() => new Map<string, Gramian>());
  let offset = 0;
  for (const { group, tensor, count } of places) {
    const summed = sums.slice(offset, (offset += count * count));
    const relativeError = own[group]!.get(tensor)?.relativeError ?? smallestError;
    parts[group]!.set(tensor, { size: count, values: summed, relativeError });
  }
  return parts;
}

function addParts(
  { vectors: { present, count } }: PendingGroup,
  parts: Parts,
  step: number,
): GroupGramians {
  const size = present.names.length;
  for (const [name, { values }] of parts) {
    for (let k = 0; k < count; k += 1) {
      if (Number.isFinite(values[k * (count + 1)])) continue;
      throw nonFiniteGradient(present.names[k % size]!, present.group.key, name, step);
    }
  }
  if (parts.size === 0) {
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
