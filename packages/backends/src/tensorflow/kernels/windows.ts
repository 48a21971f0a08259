import {
  backend_util,
  engine,
  type NamedAttrMap,
  type Tensor,
  type TensorInfo,
  util,
} from '@tensorflow/tfjs-core';
import type { NodeBackend } from '../node-backend.ts';
import { type NativeKernel, runNative } from './native-kernel.ts';

type Conv2DInfo = backend_util.Conv2DInfo;
type Shape4D = [number, number, number, number];
type Padding = 'same' | 'valid' | number;

/** The attributes that pooling and convolution have in common. */
interface WindowAttributes {
  readonly strides: number | [number, number];
  readonly pad: Padding;
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil';
}

interface ConvolutionAttributes extends WindowAttributes {
  readonly dataFormat: 'NHWC' | 'NCHW';
  readonly dilations?: number | [number, number];
}

/**
 * The gradient of maximum pooling: each output's gradient is added at the first maximum of its window. TensorFlow's own
 * kernel is many times slower.
 */
export const maxPoolGrad: NativeKernel = {
  name: 'MaxPoolGrad',
  run: ({ inputs, attrs }, backend) => {
    const { dy, input: x } = inputs as Record<'dy' | 'input', TensorInfo>;
    const { filterSize, strides, pad, dimRoundingMode } = attrs as unknown as WindowAttributes & {
      readonly filterSize: number | [number, number];
    };
    if (x.dtype !== 'float32' || dy.dtype !== 'float32') return null;
    const shape = x.shape as Shape4D;
    const info = backend_util.computePool2DInfo(
      shape,
      filterSize,
      strides,
      1,
      pad,
      dimRoundingMode,
    );
    if (!util.arraysEqual(info.outShape, dy.shape)) return null;
    return runNative(backend, 'MaxPoolGrad', [x, dy], numbersOf(info), [x.shape])[0]!;
  },
};

/** Convolutions of small maps with large filters. TensorFlow's kernel computes all others. */
export const conv2D: NativeKernel = {
  name: 'Conv2D',
  run: ({ inputs, attrs }, backend) => {
    const { x, filter } = inputs as Record<'x' | 'filter', TensorInfo>;
    const info = geometryOf(x.shape, filter.shape, attrs, [x, filter]);
    if (info === null || !onSmallMaps(info, backend, 128)) return null;
    const numbers = [...numbersOf(info), info.outChannels];
    return runNative(backend, 'SmallMapConvolution', [x, filter], numbers, [info.outShape])[0]!;
  },
};

interface FusedAttributes extends ConvolutionAttributes {
  readonly activation?: string | null;
}

/**
 * A convolution with bias and ReLU, which are applied in one pass over its result, in place. Other activations, and
 * convolutions without bias, are left to the stock kernel.
 */
export const fusedConv2D: NativeKernel = {
  name: 'FusedConv2D',
  run: ({ inputs, attrs }, backend) => {
    const { x, filter, bias } = inputs as { x: Tensor; filter: Tensor; bias?: Tensor };
    const { activation, strides, pad, dataFormat, dilations, dimRoundingMode } =
      attrs as unknown as FusedAttributes;
    const relu = activation === 'relu';
    if (bias === undefined || dataFormat !== 'NHWC') return null;
    if (!relu && (activation ?? 'linear') !== 'linear') return null;
    if ([x, filter, bias].some(({ dtype }) => dtype !== 'float32')) return null;
    if (!util.arraysEqual(bias.shape, filter.shape.slice(-1)) || x.shape.includes(0)) return null;
    const convolved = engine().runKernel<Tensor>('Conv2D', { x, filter }, {
      strides,
      pad,
      dataFormat,
      dilations,
      dimRoundingMode,
    } as NamedAttrMap);
    const { shape } = convolved;
    const [y] = runNative(backend, 'BiasActivation', [convolved, bias], [Number(relu)], [shape], 1);
    convolved.dispose();
    return y!;
  },
};

/** The filter gradients of convolutions of small maps with large filters. TensorFlow's kernel computes all others. */
export const conv2DBackpropFilter: NativeKernel = {
  name: 'Conv2DBackpropFilter',
  run: ({ inputs, attrs }, backend) => {
    const { x, dy } = inputs as Record<'x' | 'dy', TensorInfo>;
    const { filterShape } = attrs as unknown as { readonly filterShape: Shape4D };
    const info = geometryOf(x.shape, filterShape, attrs, [x, dy]);
    if (info === null || !onSmallMaps(info, backend, 128)) return null;
    if (!util.arraysEqual(info.outShape, dy.shape)) return null;
    const numbers = [...numbersOf(info), info.outChannels];
    return runNative(backend, 'SmallMapFilterGradient', [x, dy], numbers, [filterShape])[0]!;
  },
};

/**
 * The input gradients of two kinds of convolution: of small maps with large filters, and of few channels, as in the first
 * layer of a network. TensorFlow's kernel computes all others.
 */
export const conv2DBackpropInput: NativeKernel = {
  name: 'Conv2DBackpropInput',
  run: ({ inputs, attrs }, backend) => {
    const { dy, filter } = inputs as Record<'dy' | 'filter', TensorInfo>;
    const { inputShape } = attrs as unknown as { readonly inputShape: Shape4D };
    const info = geometryOf(inputShape, filter.shape, attrs, [dy, filter]);
    if (info === null || !util.arraysEqual(info.outShape, dy.shape)) return null;
    const kernel = onSmallMaps(info, backend, 64)
      ? 'SmallMapInputGradient'
      : onFewChannels(info)
        ? 'NarrowInputGradient'
        : null;
    if (kernel === null) return null;
    const numbers = [...numbersOf(info), info.outChannels];
    return runNative(backend, kernel, [dy, filter], numbers, [inputShape])[0]!;
  },
};

/** The geometry of a convolution; null unless it is of float32, with channels last and without dilation. */
function geometryOf(
  inputShape: readonly number[],
  filterShape: readonly number[],
  attributes: unknown,
  tensors: readonly TensorInfo[],
): Conv2DInfo | null {
  const { strides, pad, dataFormat, dimRoundingMode, dilations } =
    attributes as ConvolutionAttributes;
  const undilated = [dilations ?? 1].flat().every((step) => step === 1);
  if (dataFormat !== 'NHWC' || !undilated) return null;
  if (tensors.some(({ dtype }) => dtype !== 'float32')) return null;
  return backend_util.computeConv2DInfo(
    inputShape as Shape4D,
    filterShape as Shape4D,
    strides,
    1,
    pad,
    dimRoundingMode,
  );
}

/**
 * Whether reading the filter takes most of the time: it has 2¹⁷ numbers or more, and there are at most `most` output pixels.
 * TensorFlow rearranges the filter at each call, which takes little of the time where there are many pixels.
 */
function onSmallMaps(info: Conv2DInfo, { binding }: NodeBackend, most: number): boolean {
  const { batchSize, outHeight, outWidth, inChannels, outChannels } = info;
  return (
    batchSize * outHeight * outWidth <= most &&
    util.sizeFromShape(info.filterShape) >= 2 ** 17 &&
    inChannels % 4 === 0 &&
    outChannels % 64 === 0 &&
    binding.kernels?.includes('SmallMapConvolution') === true
  );
}

function onFewChannels(info: Conv2DInfo): boolean {
  const { strideHeight, strideWidth, inChannels, outChannels, padInfo } = info;
  return (
    strideHeight === 1 &&
    strideWidth === 1 &&
    inChannels <= 4 &&
    outChannels % 8 === 0 &&
    padInfo.top < info.filterHeight &&
    padInfo.left < info.filterWidth
  );
}

function numbersOf(info: Conv2DInfo): number[] {
  const { batchSize, inHeight, inWidth, inChannels, outHeight, outWidth, padInfo } = info;
  const { filterHeight, filterWidth, strideHeight, strideWidth } = info;
  return [
    ...[batchSize, inHeight, inWidth, inChannels, outHeight, outWidth],
    ...[filterHeight, filterWidth, strideHeight, strideWidth, padInfo.top, padInfo.left],
  ];
}
