import { max, maximum, min, neg, reshape, type Tensor, transpose } from '@tensorflow/tfjs-core';

/**
 * The place of samples in a tensor: the number at flat index f belongs to sample `floor(f / inner) mod batch`. A tensor of
 * shape [batch, …] has the product of its other dimensions as `inner`; reshaping changes nothing.
 */
export interface Place {
  readonly inner: number;
  readonly batch: number;
}

/** The axis that samples lie along, and how many neighbours on that axis belong to one sample. */
export interface SampleAxis {
  readonly axis: number;
  readonly within: number;
}

/** Number of elements of a shape, or of a part of it. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** The axis that samples lie along; null where they are spread over several axes, or the sizes do not fit. */
export function sampleAxis(shape: readonly number[], { inner, batch }: Place): SampleAxis | null {
  let after = 1;
  for (let axis = shape.length - 1; axis >= 0; axis -= 1) {
    const size = shape[axis]!;
    if (inner % after === 0 && (after * size) % (inner * batch) === 0) {
      return { axis, within: inner / after };
    }
    after *= size;
  }
  return null;
}

/** The place of samples in a tensor that has them along an axis. */
export function placeOn(
  shape: readonly number[],
  { axis, within }: SampleAxis,
  batch: number,
): Place {
  return { inner: within * sizeOf(shape.slice(axis + 1)), batch };
}

/** Views a tensor as [batch, positions, columns]; `columns` divides `inner`. The result belongs to the tidy around. */
export function samplesFirst(tensor: Tensor, { inner, batch }: Place, columns: number): Tensor {
  const outer = tensor.size / (inner * batch);
  const rows = inner / columns;
  if (outer === 1) return reshape(tensor, [batch, rows, columns]);
  const split = reshape(tensor, [outer, batch, rows, columns]);
  return reshape(transpose(split, [1, 0, 2, 3]), [batch, outer * rows, columns]);
}

/** The largest magnitude along axes, without a copy of the tensor. */
export function magnitude(value: Tensor, axes: number[]): Tensor {
  return maximum(max(value, axes), neg(min(value, axes)));
}
