import {
  backend_util,
  batchToSpaceND,
  type GradConfig,
  spaceToBatchND,
  type Tensor,
  transpose,
} from '@tensorflow/tfjs-core';
import { type Attributes, kernel } from './gradient.ts';

/**
 * The kernels of a convolution C(x, f), of its input gradient I(dy, f) and of its filter gradient F(x, dy). All three are
 * linear in both inputs, so the derivatives of each are the other two:
 *
 * | of         | by the first input | by the second |
 * | ---------- | ------------------ | ------------- |
 * | C(x, f)    | I(dy, f)           | F(x, dy)      |
 * | I(dy, f)   | C(ddx, f)          | F(ddx, dy)    |
 * | F(x, dy)   | I(dy, ddf)         | C(x, ddf)     |
 */
export interface Convolution {
  readonly forward: string;
  readonly inputGradient: string;
  readonly filterGradient: string;
  readonly axes: 2 | 3;
}

/** The attributes that the three kernels of a convolution have in common. */
interface ConvolutionAttributes {
  readonly strides: number | number[];
  readonly pad: 'same' | 'valid' | number | [number, number][];
  readonly dataFormat?: string;
  readonly dilations: number[];
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil';
}

/** The kernels of two-dimensional convolutions. */
export const conv2d: Convolution = {
  forward: 'Conv2D',
  inputGradient: 'Conv2DBackpropInput',
  filterGradient: 'Conv2DBackpropFilter',
  axes: 2,
};

/** The kernels of depthwise two-dimensional convolutions. */
export const depthwiseConv2d: Convolution = {
  forward: 'DepthwiseConv2dNative',
  inputGradient: 'DepthwiseConv2dNativeBackpropInput',
  filterGradient: 'DepthwiseConv2dNativeBackpropFilter',
  axes: 2,
};

/**
 * Gradients of convolutions and of their gradients. TensorFlow.js has none for dilated convolutions, for
 * conv3dTranspose and for filter gradients.
 */
export const convolutionGradients: readonly GradConfig[] = [
  conv2d,
  depthwiseConv2d,
  {
    forward: 'Conv3D',
    inputGradient: 'Conv3DBackpropInputV2',
    filterGradient: 'Conv3DBackpropFilterV2',
    axes: 3 as const,
  },
].flatMap(gradientsOf);

function gradientsOf(convolution: Convolution): GradConfig[] {
  const { forward, inputGradient, filterGradient } = convolution;
  return [
    {
      kernelName: forward,
      inputsToSave: ['x', 'filter'],
      gradFunc: (dy, [x, filter], attributes) => ({
        x: () => byInput(convolution, dy as Tensor, filter!, x!.shape, attributes),
        filter: () => byFilter(convolution, x!, dy as Tensor, filter!.shape, attributes),
      }),
    },
    {
      kernelName: inputGradient,
      inputsToSave: ['dy', 'filter'],
      gradFunc: (ddx, [dy, filter], attributes) => ({
        dy: () => convolve(convolution, ddx as Tensor, filter!, attributes),
        filter: () => byFilter(convolution, ddx as Tensor, dy!, filter!.shape, attributes),
      }),
    },
    {
      kernelName: filterGradient,
      inputsToSave: ['x', 'dy'],
      gradFunc: (ddf, [x, dy], attributes) => ({
        x: () => byInput(convolution, dy!, ddf as Tensor, x!.shape, attributes),
        dy: () => convolve(convolution, x!, ddf as Tensor, attributes),
      }),
    },
  ];
}

function convolve(
  convolution: Convolution,
  x: Tensor,
  filter: Tensor,
  attributes: Attributes,
): Tensor {
  const { forward, axes } = convolution;
  const dataFormat = axes === 3 ? 'NDHWC' : 'NHWC';
  return kernel(forward, { x, filter }, { dataFormat, ...common(convolution, attributes) });
}

/** The gradient with respect to the input. It covers dilated convolutions too. */
export function byInput(
  convolution: Convolution,
  dy: Tensor,
  filter: Tensor,
  inputShape: number[],
  attributes: Attributes,
): Tensor {
  const run = (gradient: Tensor, shape: number[], given: ConvolutionAttributes): Tensor =>
    kernel(convolution.inputGradient, { dy: gradient, filter }, { ...given, inputShape: shape });
  const given = common(convolution, attributes);
  const blocks = blocksOf(convolution, inputShape, filter.shape, given);
  if (blocks === null) return run(dy, inputShape, given);
  const { dilations, crops, outputPadding, shape, toLast, fromLast } = blocks;
  const gradient = spaceToBatchND(toLast(dy), dilations, outputPadding);
  return fromLast(batchToSpaceND(run(gradient, shape, undilated(convolution)), dilations, crops));
}

/** The gradient with respect to the filter. It covers dilated convolutions too. */
export function byFilter(
  convolution: Convolution,
  x: Tensor,
  dy: Tensor,
  filterShape: number[],
  attributes: Attributes,
): Tensor {
  const run = (input: Tensor, gradient: Tensor, given: ConvolutionAttributes): Tensor =>
    kernel(convolution.filterGradient, { x: input, dy: gradient }, { ...given, filterShape });
  const given = common(convolution, attributes);
  const blocks = blocksOf(convolution, x.shape, filterShape, given);
  if (blocks === null) return run(x, dy, given);
  const { dilations, crops, outputPadding, toLast } = blocks;
  const input = spaceToBatchND(toLast(x), dilations, crops);
  return run(input, spaceToBatchND(toLast(dy), dilations, outputPadding), undilated(convolution));
}

/** The attributes without `inputShape` and `filterShape`, which the three kernels do not share. */
function common({ axes }: Convolution, attributes: Attributes): ConvolutionAttributes {
  const { strides, pad, dataFormat, dilations, dimRoundingMode } = attributes as unknown as Omit<
    ConvolutionAttributes,
    'dilations'
  > & {
    readonly dilations?: number | number[] | null;
  };
  return {
    strides,
    pad,
    ...(dataFormat !== undefined && { dataFormat }),
    // TensorFlow.js passes a list, one number for all axes or, from `tf.layers.depthwiseConv2d`, null.
    dilations: Array.isArray(dilations) ? dilations : Array<number>(axes).fill(dilations ?? 1),
    ...(dimRoundingMode !== undefined && { dimRoundingMode }),
  };
}

function undilated({ axes }: Convolution): ConvolutionAttributes {
  const ones = Array<number>(axes).fill(1);
  return {
    strides: ones,
    pad: 'valid',
    dataFormat: axes === 3 ? 'NDHWC' : 'NHWC',
    dilations: ones,
  };
}

/**
 * How a dilated convolution is computed as one without dilation. `spaceToBatchND` makes images of every dilation-th row and
 * column, which are convolved as entries of a batch. Strides are 1: TensorFlow.js refuses strides together with dilation.
 */
interface Blocks {
  readonly dilations: number[];
  /** How many pixels the input is padded by, and its gradient cropped by, at each end of each axis. */
  readonly crops: [number, number][];
  /** How many pixels the output is padded by, so that all blocks have one size. */
  readonly outputPadding: [number, number][];
  /** Shape of the blocks of the input. */
  readonly shape: number[];
  /** Moves channels to the last axis; `fromLast` moves them back. */
  readonly toLast: (x: Tensor) => Tensor;
  readonly fromLast: (x: Tensor) => Tensor;
}

/** How a dilated convolution becomes a plain one on blocks of the image; null where there is no dilation. */
function blocksOf(
  { forward, axes }: Convolution,
  inputShape: number[],
  filterShape: number[],
  given: ConvolutionAttributes,
): Blocks | null {
  const { dilations, pad, dataFormat, dimRoundingMode } = given;
  if (dilations.every((rate) => rate === 1)) return null;
  const channelsFirst = dataFormat === 'NCHW' || dataFormat === 'NCDHW';
  const rank = axes + 2;
  const order = [0, ...Array.from({ length: axes }, (_, i) => i + 2), 1];
  const back = [0, rank - 1, ...Array.from({ length: axes }, (_, i) => i + 1)];
  const shape = channelsFirst ? order.map((axis) => inputShape[axis]!) : inputShape;
  const info =
    axes === 3
      ? backend_util.computeConv3DInfo(
          shape as [number, number, number, number, number],
          filterShape as [number, number, number, number, number],
          1,
          dilations as [number, number, number],
          pad as 'same' | 'valid',
        )
      : backend_util.computeConv2DInfo(
          shape as [number, number, number, number],
          filterShape as [number, number, number, number],
          1,
          dilations as [number, number],
          pad as 'same' | 'valid',
          dimRoundingMode,
          forward === 'DepthwiseConv2dNative',
        );
  const { top, bottom, left, right } = info.padInfo;
  const ends: [number, number][] = [
    ...('front' in info.padInfo
      ? [[info.padInfo.front, info.padInfo.back] as [number, number]]
      : []),
    [top, bottom],
    [left, right],
  ];
  const lengths = ends.map(([before, after], i) => shape[i + 1]! + before + after);
  const extra = lengths.map(
    (length, i) => (dilations[i]! - (length % dilations[i]!)) % dilations[i]!,
  );
  return {
    dilations,
    crops: ends.map(([before, after], i) => [before, after + extra[i]!]),
    outputPadding: extra.map((rows) => [0, rows]),
    shape: [
      shape[0]! * dilations.reduce((product, rate) => product * rate, 1),
      ...lengths.map((length, i) => (length + extra[i]!) / dilations[i]!),
      shape.at(-1)!,
    ],
    toLast: (x) => (channelsFirst ? transpose(x, order) : x),
    fromLast: (x) => (channelsFirst ? transpose(x, back) : x),
  };
}
