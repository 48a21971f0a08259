import * as tf from '@tensorflow/tfjs-core';
import { normalInput, offset, type OperationCase, positions } from './operation-case.ts';
import {
  inside,
  padding2d,
  paddedByNative,
  type Padding,
  taps,
  type Windows,
  windowsOf,
} from './windows.ts';

/** One product of a convolution: the offsets of the input, of the weight and of the output that it is added to. */
interface Term {
  readonly input: number;
  readonly weight: number;
  readonly output: number;
}

/** All products of a convolution. In a depthwise one, the filter has outputs of its own for each channel. */
function termsOf(
  shape: readonly number[],
  filterShape: readonly number[],
  windows: Windows,
  depthwise: boolean,
): { terms: Term[]; inputs: number; outputs: number } {
  const [channels, multiple] = [filterShape.at(-2)!, filterShape.at(-1)!];
  const outShape = [shape[0]!, ...windows.outputs, depthwise ? channels * multiple : multiple];
  const outer = positions(outShape.slice(0, -1));
  const terms = outer.flatMap((position) =>
    taps(windows, position.slice(1))
      .filter(({ place }) => inside(place, shape.slice(1, -1)))
      .flatMap(({ tap, place }) =>
        positions([channels, multiple]).map(([c, o]) => ({
          input: offset(shape, [position[0]!, ...place, c!]),
          weight: offset(filterShape, [...tap, c!, o!]),
          output: offset(outShape, [...position, depthwise ? c! * multiple + o! : o!]),
        })),
      ),
  );
  const size = (lengths: readonly number[]): number => lengths.reduce((a, b) => a * b, 1);
  return { terms, inputs: size(shape), outputs: size(outShape) };
}

function convolution(
  shape: readonly number[],
  filterShape: readonly number[],
  windows: Windows,
  depthwise = false,
): (x: readonly number[], filter: readonly number[]) => number[] {
  const { terms, outputs } = termsOf(shape, filterShape, windows, depthwise);
  return (x, filter) => {
    const y = Array<number>(outputs).fill(0);
    for (const { input, weight, output } of terms) y[output]! += x[input]! * filter[weight]!;
    return y;
  };
}

/** The input gradient of a convolution: each product adds the output's gradient times the weight to the input's gradient. */
function transposed(
  inputShape: readonly number[],
  filterShape: readonly number[],
  windows: Windows,
): (dy: readonly number[], filter: readonly number[]) => number[] {
  const { terms, inputs } = termsOf(inputShape, filterShape, windows, false);
  return (dy, filter) => {
    const dx = Array<number>(inputs).fill(0);
    for (const { input, weight, output } of terms) dx[input]! += dy[output]! * filter[weight]!;
    return dx;
  };
}

const convolutions2d = (
  [
    [[5, 4], [3, 2], [1, 1], 'same', [1, 1]],
    [[5, 6], [3, 3], [2, 2], 'same', [1, 1]],
    [[5, 4], [2, 3], [2, 1], 'valid', [1, 1]],
    [
      [4, 4],
      [3, 3],
      [1, 1],
      [
        [1, 0],
        [0, 2],
      ],
      [1, 1],
    ],
    [[6, 7], [3, 2], [1, 1], 'same', [2, 3]],
    [[6, 7], [2, 3], [1, 1], 'valid', [3, 2]],
    [[5, 5], [2, 2], [1, 1], 2, [2, 2]],
    [
      [5, 5],
      [3, 2],
      [1, 1],
      [
        [1, 2],
        [0, 1],
      ],
      [2, 1],
    ],
  ] as [number[], number[], number[], Padding, number[]][]
).flatMap(([lengths, kernel, strides, pad, dilations]): OperationCase[] => {
  const shape = [2, ...lengths, 2];
  const windows = windowsOf(lengths, kernel, strides, pad, dilations);
  const label = `of [${String(lengths)}] by [${String(kernel)}], strides [${String(strides)}], padding ${JSON.stringify(pad)}, dilations [${String(dilations)}]`;
  const filter = [...kernel, 2, 3];
  // A dilated convolution is made of operations for which TensorFlow takes explicit paddings.
  const undilated = dilations.every((rate) => rate === 1);
  const refused = typeof pad === 'number' || (Array.isArray(pad) && undilated);
  return [
    {
      name: `conv2d ${label}`,
      inputs: [normalInput(shape, 1), normalInput(filter, 2)],
      run: (x, f) =>
        tf.conv2d(
          x as tf.Tensor4D,
          f as tf.Tensor4D,
          strides as [number, number],
          padding2d(pad),
          'NHWC',
          dilations as [number, number],
        ),
      reference: convolution(shape, filter, windows),
      ...(refused && paddedByNative),
    },
    {
      name: `depthwiseConv2d ${label}`,
      inputs: [normalInput(shape, 1), normalInput([...kernel, 2, 2], 2)],
      run: (x, f) =>
        tf.depthwiseConv2d(
          x as tf.Tensor4D,
          f as tf.Tensor4D,
          // TensorFlow takes only equal strides here.
          strides[0] === strides[1] ? (strides as [number, number]) : [2, 2],
          padding2d(pad),
          'NHWC',
          dilations as [number, number],
        ),
      reference: convolution(
        shape,
        [...kernel, 2, 2],
        windowsOf(lengths, kernel, strides[0] === strides[1] ? strides : [2, 2], pad, dilations),
        true,
      ),
      ...(refused && paddedByNative),
    },
  ];
});

const transposed2d: OperationCase[] = (
  [
    [[5, 5], [3, 3], [2, 2], 'same'],
    [[4, 5], [3, 2], [1, 1], 'same'],
    [[5, 6], [2, 3], [2, 1], 'valid'],
  ] as [number[], number[], number[], Padding][]
).map(([lengths, kernel, strides, pad]) => {
  const windows = windowsOf(lengths, kernel, strides, pad);
  const [shape, filter] = [
    [2, ...lengths, 2],
    [...kernel, 2, 3],
  ];
  return {
    name: `conv2dTranspose to [${String(lengths)}] by [${String(kernel)}], strides [${String(strides)}], padding ${JSON.stringify(pad)}`,
    inputs: [normalInput([2, ...windows.outputs, 3], 1), normalInput(filter, 2)],
    run: (dy, f) =>
      tf.conv2dTranspose(
        dy as tf.Tensor4D,
        f as tf.Tensor4D,
        shape as [number, number, number, number],
        strides as [number, number],
        pad as 'same',
      ),
    reference: transposed(shape, filter, windows),
  };
});

const convolutions1d = (['same', 'valid'] as const).map((pad): OperationCase => {
  const windows = windowsOf([8], [3], [1], pad, [3]);
  return {
    name: `conv1d of dilation 3, padding ${JSON.stringify(pad)}`,
    inputs: [normalInput([2, 8, 2], 1), normalInput([3, 2, 3], 2)],
    run: (x, f) => tf.conv1d(x as tf.Tensor3D, f as tf.Tensor3D, 1, pad, 'NWC', 3),
    reference: convolution([2, 8, 2], [3, 2, 3], windows),
  };
});

const withNullDilation: OperationCase = {
  name: 'depthwiseConv2d of dilation null, as tf.layers has it',
  inputs: [normalInput([1, 4, 4, 2], 1), normalInput([2, 2, 2, 2], 2)],
  run: (x, f) =>
    tf.depthwiseConv2d(
      x as tf.Tensor4D,
      f as tf.Tensor4D,
      [1, 1],
      'valid',
      'NHWC',
      null as unknown as number,
    ),
  reference: convolution(
    [1, 4, 4, 2],
    [2, 2, 2, 2],
    windowsOf([4, 4], [2, 2], [1, 1], 'valid'),
    true,
  ),
};

const eachChannel = convolution(
  [1, 5, 5, 2],
  [2, 2, 2, 2],
  windowsOf([5, 5], [2, 2], [1, 1], 'same', [2, 2]),
  true,
);
const mixChannels = convolution(
  [1, 5, 5, 4],
  [1, 1, 4, 3],
  windowsOf([5, 5], [1, 1], [1, 1], 'valid'),
);

const separable: OperationCase = {
  name: 'separableConv2d of dilation 2',
  inputs: [
    normalInput([1, 5, 5, 2], 1),
    normalInput([2, 2, 2, 2], 2),
    normalInput([1, 1, 4, 3], 3),
  ],
  run: (x, depthwise, pointwise) =>
    tf.separableConv2d(
      x as tf.Tensor4D,
      depthwise as tf.Tensor4D,
      pointwise as tf.Tensor4D,
      1,
      'same',
      2,
    ),
  reference: (x, depthwise, pointwise) => mixChannels(eachChannel(x, depthwise), pointwise),
};

const fused: OperationCase[] = [1, 2].flatMap((rate) =>
  (['linear', 'relu'] as const).map((activation): OperationCase => {
    const [shape, filter] = [
      [1, 5, 5, 2],
      [2, 2, 2, 3],
    ];
    const plain = convolution(
      shape,
      filter,
      windowsOf([5, 5], [2, 2], [1, 1], 'same', [rate, rate]),
    );
    return {
      name: `fused conv2d of dilation ${rate} with bias, ${activation}`,
      inputs: [normalInput(shape, 1), normalInput(filter, 2), normalInput([3], 3)],
      run: (x, f, bias) =>
        tf.fused.conv2d({
          x: x as tf.Tensor4D,
          filter: f as tf.Tensor4D,
          bias,
          strides: 1,
          pad: 'same',
          dilations: rate,
          activation,
        }),
      reference: (x, f, bias) =>
        plain(x, f).map((value, i) => {
          const sum = value + bias[i % 3]!;
          return activation === 'relu' ? Math.max(0, sum) : sum;
        }),
      onceOnly: 'the gradient of a fused convolution has none',
    };
  }),
);

const convolutions3d = (
  [
    [[3, 4, 3], [2, 2, 2], [1, 1, 1], 'same', [1, 1, 1]],
    [[4, 3, 5], [3, 2, 3], [2, 1, 2], 'valid', [1, 1, 1]],
    [[4, 3, 5], [2, 2, 3], [1, 1, 1], 'same', [2, 1, 2]],
  ] as [number[], number[], number[], 'same' | 'valid', number[]][]
).map(([lengths, kernel, strides, pad, dilations]): OperationCase => {
  const [shape, filter] = [
    [2, ...lengths, 2],
    [...kernel, 2, 2],
  ];
  return {
    name: `conv3d of [${String(lengths)}] by [${String(kernel)}], strides [${String(strides)}], padding ${JSON.stringify(pad)}, dilations [${String(dilations)}]`,
    inputs: [normalInput(shape, 1), normalInput(filter, 2)],
    run: (x, f) =>
      tf.conv3d(
        x as tf.Tensor5D,
        f as tf.Tensor5D,
        strides as [number, number, number],
        pad,
        'NDHWC',
        dilations as [number, number, number],
      ),
    reference: convolution(shape, filter, windowsOf(lengths, kernel, strides, pad, dilations)),
    ...(dilations.some((rate) => rate > 1) && {
      refusedBy: { tensorflow: 'TensorFlow has no dilation in three dimensions on processors' },
    }),
  };
});

const transposed3d: OperationCase[] = (
  [
    [[3, 4, 3], [2, 2, 2], [1, 1, 1], 'same'],
    [[4, 4, 5], [3, 2, 3], [2, 2, 2], 'same'],
    [[4, 3, 5], [2, 2, 3], [1, 1, 2], 'valid'],
  ] as [number[], number[], number[], 'same' | 'valid'][]
).map(([lengths, kernel, strides, pad]) => {
  const windows = windowsOf(lengths, kernel, strides, pad);
  const [shape, filter] = [
    [1, ...lengths, 2],
    [...kernel, 2, 3],
  ];
  return {
    name: `conv3dTranspose to [${String(lengths)}] by [${String(kernel)}], strides [${String(strides)}], padding ${JSON.stringify(pad)}`,
    inputs: [normalInput([1, ...windows.outputs, 3], 1), normalInput(filter, 2)],
    run: (dy, f) =>
      tf.conv3dTranspose(
        dy as tf.Tensor5D,
        f as tf.Tensor5D,
        shape as [number, number, number, number, number],
        strides as [number, number, number],
        pad,
      ),
    reference: transposed(shape, filter, windows),
  };
});

/** Convolutions of all kinds. */
export const convolutionCases: readonly OperationCase[] = [
  ...convolutions1d,
  ...convolutions2d,
  ...transposed2d,
  separable,
  withNullDilation,
  ...fused,
  ...convolutions3d,
  ...transposed3d,
];
