import { MultigradError } from '@multigrad/core/strategy';
import {
  type DataType,
  type NamedTensorInfoMap,
  type TensorInfo,
  util,
} from '@tensorflow/tfjs-core';

/**
 * An input of a kernel, of the type and shape that it must have.
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
  const found = inputs[name];
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
 * That an input and a filter have the same channels: the last axis of the one, the last but one of the other.
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
 * Whether an output gradient has more rows or columns than the output, as `conv2dTranspose` makes it for an output shape
 * that is too small: stock kernels leave out the rest.
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
 * The inputs row0, row1, …: float32, of any sizes; there are none else.
 *
 * @throws MultigradError `invalid-argument` naming kernel and row
 */
export function anyRowsOf(kernel: string, inputs: NamedTensorInfoMap): TensorInfo[] {
  return Object.keys(inputs).map((_, k) => inputOf(kernel, inputs, `row${k}`));
}

/**
 * The inputs row0, row1, …: float32, of one size; beside the `others` there are none else.
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
  const rows = Array.from({ length: count }, (_, k) => inputs[`row${k}`]);
  const expected = util.sizeFromShape(inputs[others[0] ?? 'row0']?.shape ?? []);
  return rows.map((row, k) => {
    if (row?.dtype === 'float32' && util.sizeFromShape(row.shape) === expected) return row;
    throw new MultigradError(
      'invalid-argument',
      `Kernel ${kernel} should get row${k} as float32 of ${expected} numbers, like ${others[0] ?? 'row0'}. Found ${describeTensor(row)}.`,
    );
  });
}

/**
 * One weight for each row.
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

/** Rows and channels of a tensor seen as a matrix: all axes but the last, and the last. */
export function rowsAndChannels(shape: readonly number[]): [number, number] {
  const channels = shape.at(-1) ?? 1;
  return [channels === 0 ? 0 : util.sizeFromShape([...shape]) / channels, channels];
}

function describeTensor(tensor: TensorInfo | undefined): string {
  return tensor === undefined
    ? 'no such input'
    : `${tensor.dtype} of shape [${tensor.shape.join(', ')}]`;
}
