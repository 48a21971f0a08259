import { MultigradError } from '@multigrad/core/strategy';
import { describeValue } from '@multigrad/core/support';
import * as tf from '@tensorflow/tfjs-core';
import { type NumberColumn, sizeOf } from './column.ts';

/** Arrays of numbers within arrays, as deep as the samples have axes and one more. */
export type NestedNumbers =
  | readonly number[]
  | readonly (readonly number[])[]
  | readonly (readonly (readonly number[])[])[]
  | readonly (readonly (readonly (readonly number[])[])[])[];

/** The tensor of a batch of such values: a plain list gives n × 1. */
export type NumbersBatch<Values> =
  Values extends readonly (readonly (readonly (readonly number[])[])[])[]
    ? tf.Tensor4D
    : Values extends readonly (readonly (readonly number[])[])[]
      ? tf.Tensor3D
      : Values extends readonly (readonly number[])[] | readonly number[]
        ? tf.Tensor2D
        : tf.Tensor;

/** Typed arrays of numbers. */
export type NumberArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array;

/**
 * Numbers of each sample from arrays: nested ones, a typed one with the shape of a sample, or a tensor with the samples
 * along its first axis.
 *
 * A plain list of n numbers gives batches of n × 1. Numbers are kept as float32 (a `Uint8Array` as bytes); NaN is a missing
 * value, which the losses of `@multigrad/models` understand in a target. A tensor stays yours; its numbers are copied.
 *
 * `shape` is that of one sample, for typed arrays alone; [1] if left out.
 *
 * @param values - the numbers of all samples
 * @throws MultigradError `invalid-data` naming the sample for arrays of different lengths, what is no number, and numbers
 * that float32 cannot hold; `invalid-argument` for a shape that does not divide the array; `unsupported` for a tensor on a
 * backend that cannot be read at once (WebGPU): pass `await tensor.data()` with a shape instead
 *
 * @example
 * ```ts
 * import { numbersFrom } from '@multigrad/datasets';
 *
 * console.log(numbersFrom([[1, 2, 3], [4, 5, 6]]).shape); // [ 3 ]: two samples of three numbers
 * console.log(numbersFrom(new Uint8Array(10 * 28 * 28), [28, 28, 1]).count); // 10: pictures
 * ```
 */
export function numbersFrom<Values extends NestedNumbers>(
  values: Values,
): NumberColumn<NumbersBatch<Values>>;
export function numbersFrom<Batch extends tf.Tensor = tf.Tensor2D>(
  values: NumberArray,
  shape?: readonly number[],
): NumberColumn<Batch>;
export function numbersFrom<Batch extends tf.Tensor>(values: Batch): NumberColumn<Batch>;
export function numbersFrom(
  values: NestedNumbers | NumberArray | tf.Tensor,
  shape?: readonly number[],
): NumberColumn {
  if (values instanceof tf.Tensor) return fromTensor(values);
  if (ArrayBuffer.isView(values)) return fromTypedArray(values, shape ?? [1]);
  if (!Array.isArray(values)) {
    throw new MultigradError(
      'invalid-argument',
      `\`numbersFrom\` should get nested arrays, a typed array or a tensor. Found ${describeValue(values)}.`,
    );
  }
  return fromNested(values as readonly unknown[]);
}

function fromTensor(tensor: tf.Tensor): NumberColumn {
  const [, ...shape] = tensor.shape;
  if (tensor.rank === 0) {
    throw new MultigradError(
      'invalid-argument',
      '`numbersFrom` should get a tensor with the samples along its first axis. Found a scalar.',
    );
  }
  if (tf.getBackend() === 'webgpu') {
    throw new MultigradError(
      'unsupported',
      `\`numbersFrom\` cannot wait for a tensor on WebGPU. Write numbersFrom(await tensor.data(), [${shape.join(', ')}]).`,
    );
  }
  return fromTypedArray(tensor.dataSync(), shape.length === 0 ? [1] : shape);
}

function fromTypedArray(values: NumberArray, shape: readonly number[]): NumberColumn {
  const size = sizeOf(shape);
  const wrong = shape.some((length) => !Number.isInteger(length) || length < 1);
  if (wrong || values.length % size !== 0) {
    throw new MultigradError(
      'invalid-argument',
      `\`numbersFrom\` should get the shape of one sample, whose ${size} numbers go into ${values.length} without a rest. ` +
        `Found [${shape.join(', ')}].`,
    );
  }
  return column(values instanceof Uint8Array ? values : toFloat32(values, size), shape);
}

/** @param size - numbers of a sample, for messages */
function toFloat32(values: ArrayLike<number>, size: number): Float32Array {
  const floats = Float32Array.from(values);
  floats.forEach((float, i) => {
    if (Number.isFinite(float) || Number.isNaN(values[i])) return;
    throw new MultigradError(
      'invalid-data',
      `Numbers should be finite in float32, or NaN where one is missing. Found ${values[i]} of sample ${Math.floor(i / size)}.`,
    );
  });
  return floats;
}

function fromNested(samples: readonly unknown[]): NumberColumn {
  const shape = shapeOf(samples[0]);
  const flat: number[] = [];
  samples.forEach((sample, index) => append(flat, sample, shape, `[${index}]`));
  const sampleShape = shape.length === 0 ? [1] : shape;
  return column(toFloat32(flat, sizeOf(sampleShape)), sampleShape);
}

/** The lengths of nested arrays, along their first entries. */
function shapeOf(value: unknown): number[] {
  return Array.isArray(value) || ArrayBuffer.isView(value)
    ? [(value as unknown as unknown[]).length, ...shapeOf((value as unknown as unknown[])[0])]
    : [];
}

function append(flat: number[], value: unknown, shape: readonly number[], path: string): void {
  const [length, ...inner] = shape;
  if (length === undefined) {
    if (typeof value === 'number') {
      flat.push(value);
      return;
    }
  } else if (
    (Array.isArray(value) || ArrayBuffer.isView(value)) &&
    (value as unknown as unknown[]).length === length
  ) {
    for (let i = 0; i < length; i++)
      append(flat, (value as unknown as unknown[])[i], inner, `${path}[${i}]`);
    return;
  }
  const expected = length === undefined ? 'a number' : `${length} entries, as in the first sample`;
  throw new MultigradError(
    'invalid-data',
    `Samples should have numbers in arrays of one shape. Found ${describeValue(value)} at ${path}, expected ${expected}.`,
  );
}

function column(values: Float32Array | Uint8Array, shape: readonly number[]): NumberColumn {
  return {
    kind: 'numbers',
    count: values.length / sizeOf(shape),
    shape,
    values,
    unit: 1,
    where: (sample, position) =>
      `sample ${sample}${position === undefined ? '' : `, number ${position}`}`,
  };
}
