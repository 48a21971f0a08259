import { MultigradError } from '@multigrad/core/strategy';
import type * as tf from '@tensorflow/tfjs-core';
import { assertPositions } from '../positions.ts';

/** What every column has: one value of a kind and shape for each sample. */
interface ColumnBase {
  /** Number of samples. */
  readonly count: number;
  /** Shape of one sample's value; a batch of n has the shape [n, …shape]. */
  readonly shape: readonly number[];
  /** Where a sample's value comes from, for messages: `houses.csv, line 7, column "rooms"`. */
  readonly where: (sample: number, position?: number) => string;
}

/**
 * Numbers of each sample, in memory: batches are float32 tensors of `unit · values`.
 *
 * Made by {@link numbersFrom}, by a table's `numbers` and `oneHot`, and by {@link readImageFolders}.
 */
export interface NumberColumn<Batch extends tf.Tensor = tf.Tensor> extends ColumnBase {
  readonly kind: 'numbers';
  /** All values, row-major, `count · size` of them; NaN where one is missing. Pixels are kept as bytes. */
  readonly values: Float32Array | Uint8Array;
  /** What a value is multiplied by: 1, or 1/255 for pixels. */
  readonly unit: number;
  /** Carries the type of a batch; there is no such property. */
  readonly batchType?: Batch;
}

/** A class of each sample: batches are int32 tensors of shape [n], −1 where a label is missing. */
export interface ClassColumn extends ColumnBase {
  readonly kind: 'classes';
  /** Position of each sample's class among `names`; −1 where it is missing. */
  readonly labels: Int32Array;
  /** The classes' names, in the order of their labels. */
  readonly names: readonly string[];
}

/** Values that are read from files when a batch is made. */
export interface FileColumn<Batch extends tf.Tensor = tf.Tensor> extends ColumnBase {
  readonly kind: 'files';
  /** The values of some samples, row-major. */
  readonly read: (samples: Int32Array) => Promise<Float32Array>;
  /** Carries the type of a batch; there is no such property. */
  readonly batchType?: Batch;
}

/** Something that each sample has: an input or a target of {@link dataSets}. */
export type Column = NumberColumn | ClassColumn | FileColumn;

/** The tensor that a column is in a batch. */
export type ColumnBatch<C extends Column> =
  C extends NumberColumn<infer Batch>
    ? Batch
    : C extends FileColumn<infer Batch>
      ? Batch
      : tf.Tensor1D;

/** How many numbers a value of a shape has. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, length) => product * length, 1);
}

/** The values of some samples of numbers, one after the other. */
export function gatherNumbers(
  { count, shape, values, unit }: NumberColumn,
  samples: Int32Array,
): Float32Array {
  assertPositions(samples, count);
  const size = sizeOf(shape);
  const gathered = new Float32Array(samples.length * size);
  samples.forEach((sample, at) => {
    const from = values.subarray(sample * size, (sample + 1) * size);
    for (let i = 0; i < size; i++) gathered[at * size + i] = unit * from[i]!;
  });
  return gathered;
}

/** @throws MultigradError `invalid-data` for columns of different lengths, or none */
export function countOf(columns: Readonly<Record<string, Column>>): number {
  const [first, ...others] = Object.entries(columns);
  if (first === undefined || first[1].count === 0) {
    throw new MultigradError(
      'invalid-data',
      'A data set should have at least one sample. Found none.',
    );
  }
  const [name, { count }] = first;
  for (const [other, column] of others) {
    if (column.count === count) continue;
    throw new MultigradError(
      'invalid-data',
      `Each input and target should have a value of each sample. Found ${count} of \`${name}\` and ${column.count} of \`${other}\`.`,
    );
  }
  return count;
}
