import { Tensor } from '@tensorflow/tfjs-core';
import { MultigradError } from '../base/errors.ts';

/**
 * Counts the samples in a batch: the first dimension of its tensors. Scalars do not count.
 *
 * Tensors of one record must have the same number. Where a batch contains records, one for each objective, they may have
 * different numbers, and the largest counts. A batch without tensors has one sample.
 *
 * @throws MultigradError `invalid-data` naming the two tensors that differ
 */
export function batchSize(batch: unknown): number {
  return largestSize(batch, '') ?? 1;
}

function largestSize(value: unknown, name: string): number | null {
  if (value instanceof Tensor) {
    const { rank, shape } = value as Tensor;
    return rank === 0 ? null : shape[0];
  }
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return null;
  let largest: number | null = null;
  let first: { name: string; size: number } | null = null;
  for (const [key, child] of Object.entries(value)) {
    const path = name === '' ? key : `${name}.${key}`;
    const size = largestSize(child, path);
    if (size === null) continue;
    largest = Math.max(largest ?? 0, size);
    if (!(child instanceof Tensor)) continue;
    first ??= { name: path, size };
    if (size === first.size) continue;
    throw new MultigradError(
      'invalid-data',
      `All tensors of a batch should have the same number of samples. Found ${first.size} in \`${first.name}\` and ${size} in \`${path}\`.`,
    );
  }
  return largest;
}
