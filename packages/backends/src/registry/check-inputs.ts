import { MultigradError, own } from '@multigrad/core/strategy';
import {
  type DataType,
  type NamedTensorInfoMap,
  type TensorInfo,
  util,
} from '@tensorflow/tfjs-core';

/**
 * Returns an input of a kernel after a check of its type and shape.
 *
 * @throws MultigradError `invalid-argument` naming kernel and input
 */
export function inputOf(
  kernel: string,
  inputs: NamedTensorInfoMap,
  name: string,
  shape?: readonly number[],
  dtype: DataType = 'float32',
): TensorInfo {
  const found = own(inputs, name);
  const fits =
    found?.dtype === dtype && (shape === undefined || util.arraysEqual(found.shape, [...shape]));
  if (fits) return found;
  const wanted = shape === undefined ? dtype : `${dtype} of shape [${shape.join(', ')}]`;
  throw new MultigradError(
    'invalid-argument',
    `Kernel ${kernel} should get \`${name}\` as ${wanted}. Found ${describeTensor(found)}.`,
  );
}

/**
 * Checks that an input and a filter have the same number of channels: the input's last axis, and the filter's last axis but
 * one.
 *
 * @throws MultigradError `invalid-argument` naming the kernel
 */
export function checkChannels(
  kernel: string,
  inputShape: readonly number[],
  filterShape: readonly number[],
): void {
  if (inputShape.at(-1) === filterShape.at(-2)) return;
  throw new MultigradError(
    'invalid-argument',
    `Kernel ${kernel} should get a filter for the ${inputShape.at(-1)} channels of [${inputShape.join(', ')}]. ` +
      `Found [${filterShape.join(', ')}].`,
  );
}

/**
 * Whether an output gradient has more rows or columns than the output. `conv2dTranspose` makes such a gradient for an output
 * shape that is too small; stock kernels leave out the rows and columns in excess.
 */
export function isLarger(dy: readonly number[], output: readonly number[]): boolean {
  return (
    dy.length === output.length &&
    dy.every((length, axis) =>
      axis === 1 || axis === 2 ? length >= output[axis]! : length === output[axis],
    ) &&
    !util.arraysEqual([...dy], [...output])
  );
}

/**
 * Returns the inputs row0, row1, … after a check that they are float32. They may have any sizes, and there are no other
 * inputs.
 *
 * @throws MultigradError `invalid-argument` naming kernel and row
 */
export function anyRowsOf(kernel: string, inputs: NamedTensorInfoMap): TensorInfo[] {
  return Object.keys(inputs).map((_, k) => inputOf(kernel, inputs, `row${k}`));
}

/**
 * Returns the inputs row0, row1, … after a check that they are float32 and of one size, which is that of the first of
 * `others` if there is one. There are no inputs but these and `others`.
 *
 * @throws MultigradError `invalid-argument` naming kernel and row
 */
export function rowsOf(
  kernel: string,
  inputs: NamedTensorInfoMap,
  others: readonly string[] = [],
): TensorInfo[] {
  const count = Object.keys(inputs).filter((name) => !others.includes(name)).length;
  if (count === 0) {
    throw new MultigradError(
      'invalid-argument',
      `Kernel ${kernel} should get inputs row0, row1, …. Found none.`,
    );
  }
  const rows = Array.from({ length: count }, (_, k) => own(inputs, `row${k}`));
  const expected = util.sizeFromShape(own(inputs, others[0] ?? 'row0')?.shape ?? []);
  return rows.map((row, k) => {
    if (row?.dtype === 'float32' && util.sizeFromShape(row.shape) === expected) return row;
    throw new MultigradError(
      'invalid-argument',
      `Kernel ${kernel} should get row${k} as float32 of ${expected} numbers, like ${others[0] ?? 'row0'}. Found ${describeTensor(row)}.`,
    );
  });
}

/**
 * Returns the attribute `weights` after a check that it holds one weight for each row.
 *
 * @throws MultigradError `invalid-argument` naming the kernel
 */
export function weightsOf(
  kernel: string,
  { weights }: { readonly weights?: unknown },
  count: number,
): readonly number[] {
  if (Array.isArray(weights) && weights.length === count) return weights as number[];
  const found = Array.isArray(weights) ? weights.length : 'no list of';
  throw new MultigradError(
    'invalid-argument',
    `Kernel ${kernel} should get one weight for each row. Found ${found} weights for ${count} rows.`,
  );
}

/** The numbers of rows and channels of a tensor read as a matrix. The last axis is the channels, all others are rows. */
export function rowsAndChannels(shape: readonly number[]): [number, number] {
  const channels = shape.at(-1) ?? 1;
  return [channels === 0 ? 0 : util.sizeFromShape([...shape]) / channels, channels];
}

function describeTensor(tensor: TensorInfo | undefined): string {
  return tensor === undefined
    ? 'no such input'
    : `${tensor.dtype} of shape [${tensor.shape.join(', ')}]`;
}
