import * as tf from '@tensorflow/tfjs-core';
import { build, normalInput, offset, type OperationCase, positions } from './operation-case.ts';
import {
  inside,
  padding2d,
  paddedByNative,
  type Padding,
  taps,
  type Windows,
  windowsOf,
} from './windows.ts';

/** Pooling by its definition; what lies outside of the array does not count. */
function pool(
  shape: readonly number[],
  windows: Windows,
  reduce: (numbers: readonly number[]) => number,
): (x: readonly number[]) => number[] {
  const outShape = [shape[0]!, ...windows.outputs, shape.at(-1)!];
  const found = positions(outShape).map((position) =>
    taps(windows, position.slice(1, -1))
      .filter(({ place }) => inside(place, shape.slice(1, -1)))
      .map(({ place }) => offset(shape, [position[0]!, ...place, position.at(-1)!])),
  );
  return (x) => found.map((places) => reduce(places.map((at) => x[at]!)));
}

const mean = (numbers: readonly number[]): number =>
  numbers.reduce((a, b) => a + b, 0) / numbers.length;
const largest = (numbers: readonly number[]): number => Math.max(...numbers);

const kinds = { avg: mean, max: largest } as const;

const pooling2d = (['avg', 'max'] as const).flatMap((kind) =>
  (
    [
      [[5, 4], [2, 2], [1, 1], 'same'],
      [[5, 4], [3, 2], [2, 2], 'same'],
      [[4, 5], [3, 3], [1, 1], 1],
      [
        [5, 5],
        [3, 2],
        [2, 1],
        [
          [1, 0],
          [0, 1],
        ],
      ],
      [[5, 4], [2, 3], [2, 1], 'valid'],
      [[5, 6], [1, 1], [2, 2], 'same'],
    ] as [number[], number[], number[], Padding][]
  ).map(([lengths, kernel, strides, pad]): OperationCase => {
    const shape = [2, ...lengths, 3];
    return {
      name: `${kind}Pool of [${String(lengths)}] by [${String(kernel)}], strides [${String(strides)}], padding ${JSON.stringify(pad)}`,
      inputs: [normalInput(shape, 1)],
      run: (x) =>
        tf[`${kind}Pool`](
          x as tf.Tensor4D,
          kernel as [number, number],
          strides as [number, number],
          padding2d(pad),
        ),
      reference: pool(shape, windowsOf(lengths, kernel, strides, pad), kinds[kind]),
      ...(kind === 'max' && { onceOnly: 'the gradient of max-pooling has none' }),
      ...(typeof pad !== 'string' && paddedByNative),
    };
  }),
);

const rounded: OperationCase[] = (['avg', 'max'] as const).map((kind) => ({
  name: `${kind}Pool that rounds odd sizes up`,
  inputs: [normalInput([1, 4, 4, 2], 1)],
  run: (x) => tf[`${kind}Pool`](x as tf.Tensor4D, 3, 2, 1, 'ceil'),
  reference: pool(
    [1, 4, 4, 2],
    windowsOf([4, 4], [3, 3], [2, 2], 1, [1, 1], Math.ceil),
    kinds[kind],
  ),
  ...(kind === 'max' && { onceOnly: 'the gradient of max-pooling has none' }),
  refusedBy: { tensorflow: 'TensorFlow rounds down' },
}));

const pooling1d = (['avg', 'max'] as const).map((kind): OperationCase => {
  const windows = windowsOf([7], [3], [2], 'same');
  return {
    name: `${kind} pool along one axis, padding same`,
    inputs: [normalInput([2, 7, 3], 1)],
    run: (x) =>
      tf.squeeze(
        tf[`${kind}Pool`](tf.reshape<tf.Rank.R4>(x, [2, 1, 7, 3]), [1, 3], [1, 2], 'same'),
        [1],
      ),
    reference: pool([2, 7, 3], windows, kinds[kind]),
    ...(kind === 'max' && { onceOnly: 'the gradient of max-pooling has none' }),
  };
});

const pooling3d = (['avg', 'max'] as const).flatMap((kind) =>
  (
    [
      [[3, 4, 3], [2, 2, 2], [1, 1, 1], 'same'],
      [[3, 4, 5], [3, 2, 3], [2, 2, 2], 'same'],
      [[3, 3, 3], [2, 2, 3], [1, 2, 1], 'valid'],
      [[3, 3, 3], [3, 3, 3], [1, 2, 1], 1],
    ] as [number[], number[], number[], Padding][]
  ).map(([lengths, kernel, strides, pad]): OperationCase => {
    const shape = [2, ...lengths, 2];
    return {
      name: `${kind}Pool3d of [${String(lengths)}] by [${String(kernel)}], strides [${String(strides)}], padding ${JSON.stringify(pad)}`,
      inputs: [normalInput(shape, 1)],
      run: (x) =>
        tf[`${kind}Pool3d`](
          x as tf.Tensor5D,
          kernel as [number, number, number],
          strides as [number, number, number],
          pad as 'same',
        ),
      reference: pool(shape, windowsOf(lengths, kernel, strides, pad), kinds[kind]),
      ...(kind === 'max' && { onceOnly: 'the gradient of max-pooling has none' }),
      ...(typeof pad === 'number' && paddedByNative),
    };
  }),
);

const dilation2d: OperationCase[] = (['same', 'valid'] as const).map((pad) => {
  const shape = [1, 4, 5, 2];
  const windows = windowsOf([4, 5], [2, 3], [1, 1], pad, [2, 1]);
  return {
    name: `dilation2d of negative numbers, padding ${JSON.stringify(pad)}`,
    inputs: [normalInput(shape, 1, -4), normalInput([2, 3, 2], 2)],
    run: (x, f) => tf.dilation2d(x as tf.Tensor4D, f as tf.Tensor3D, [1, 1], pad, [2, 1], 'NHWC'),
    reference: (x, f) =>
      build([1, ...windows.outputs, 2], ([n, i, j, c]) =>
        Math.max(
          ...taps(windows, [i!, j!])
            .filter(({ place }) => inside(place, [4, 5]))
            .map(
              ({ tap, place }) =>
                x[offset(shape, [n!, ...place, c!])]! + f[offset([2, 3, 2], [...tap, c!])]!,
            ),
        ),
      ),
    onceOnly: 'the gradient of dilation2d has none',
  };
});

/** Pooling and dilation. */
export const poolingCases: readonly OperationCase[] = [
  ...pooling1d,
  ...pooling2d,
  ...rounded,
  ...pooling3d,
  ...dilation2d,
];
