import { sliceOf } from '@multigrad/core';
import { MultigradError } from '@multigrad/core/strategy';
import type { Numbers, Payload, Reduction } from './communicator.ts';

// What communicators have in common: the parts of which a call's numbers are made.

/** The parts added up (or their largest values) in the order of the ranks, in the numbers' own precision. */
export function reduced<T extends Numbers>(parts: readonly T[], reduction: Reduction): T {
  const result = parts[0]!.slice() as T;
  for (const part of parts.slice(1)) {
    if (reduction === 'sum') {
      for (let i = 0; i < result.length; i += 1) result[i]! += part[i]!;
    } else {
      for (let i = 0; i < result.length; i += 1) result[i] = Math.max(result[i]!, part[i]!);
    }
  }
  return result;
}

/** The parts of all ranks, one after the other, added up in the order of the ranks. */
export function sumOfParts(all: Float64Array, ranks: number): Float64Array {
  const size = all.length / ranks;
  return reduced(
    Array.from({ length: ranks }, (_, rank) => all.subarray(rank * size, (rank + 1) * size)),
    'sum',
  );
}

/** The number of elements that each rank has of rows of these sizes. */
export function countsOf(sizes: readonly number[], ranks: number): number[] {
  return Array.from({ length: ranks }, (_, rank) =>
    sizes.reduce((sum, size) => {
      const { begin, end } = sliceOf(size, rank, ranks);
      return sum + end - begin;
    }, 0),
  );
}

/** Zeros of the same kind. */
export function emptyLike<T extends Payload>(like: T, length: number): T {
  return new (like.constructor as new (length: number) => T)(length);
}

/** Parts one after the other, as an array of one kind. */
export function joinedParts<T extends Payload>(like: T, parts: readonly Payload[]): T {
  const whole = emptyLike(like, totalOf(parts.map(({ length }) => length)));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

/** Where each rank's part begins, by rank. */
export function offsetsOf(counts: readonly number[]): number[] {
  let offset = 0;
  return counts.map((count) => (offset += count) - count);
}

/** The number of elements of all parts together. */
export function totalOf(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0);
}

/** @throws MultigradError `invalid-argument` unless there is a count for each rank, `total` in all */
export function checkCounts(counts: readonly number[], ranks: number, total: number): void {
  const sum = totalOf(counts);
  if (counts.length === ranks && sum === total) return;
  throw new MultigradError(
    'invalid-argument',
    `There should be a count for each of ${ranks} ranks, ${total} in all. Found ${counts.length}, ${sum} in all.`,
  );
}

/** @throws MultigradError `invalid-argument` unless this rank's part has as many elements as its count says */
export function checkPart(part: Payload, counts: readonly number[], rank: number): void {
  if (part.length === counts[rank]) return;
  throw new MultigradError(
    'invalid-argument',
    `Rank ${rank} should give ${counts[rank]} elements. Found ${part.length}.`,
  );
}
