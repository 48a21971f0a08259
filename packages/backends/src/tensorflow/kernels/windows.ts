import { backend_util, type TensorInfo, util } from '@tensorflow/tfjs-core';
import { type NativeKernel, runNative } from './native-kernel.ts';

type Conv2DInfo = backend_util.Conv2DInfo;
type Shape4D = [number, number, number, number];
type Padding = 'same' | 'valid' | number;

/** What pooling and convolution have in common. */
interface WindowAttributes {
  readonly strides: number | [number, number];
  readonly pad: Padding;
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil';
}

/** The first maximum of a window takes its gradient; TensorFlow's own kernel is many times slower. */
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

/** The input gradient of convolutions on few channels, as at the entrance of a network; the others are TensorFlow's. */
export const conv2DBackpropInput: NativeKernel = {
  name: 'Conv2DBackpropInput',
  run: ({ inputs, attrs }, backend) => {
    const { dy, filter } = inputs as Record<'dy' | 'filter', TensorInfo>;
    const { inputShape, strides, pad, dataFormat, dimRoundingMode } =
      attrs as unknown as WindowAttributes & {
        readonly inputShape: Shape4D;
        readonly dataFormat: 'NHWC' | 'NCHW';
      };
    if (dataFormat !== 'NHWC' || dy.dtype !== 'float32' || filter.dtype !== 'float32') return null;
    const shape = filter.shape as Shape4D;
    const info = backend_util.computeConv2DInfo(
      inputShape,
      shape,
      strides,
      1,
      pad,
      dimRoundingMode,
    );
    const { strideHeight, strideWidth, inChannels, outChannels, padInfo } = info;
    const covered =
      strideHeight === 1 &&
      strideWidth === 1 &&
      inChannels <= 4 &&
      outChannels % 8 === 0 &&
      padInfo.top < info.filterHeight &&
      padInfo.left < info.filterWidth &&
      util.arraysEqual(info.outShape, dy.shape);
    if (!covered) return null;
    const numbers = [...numbersOf(info), outChannels];
    return runNative(backend, 'NarrowInputGradient', [dy, filter], numbers, [inputShape])[0]!;
  },
};

function numbersOf(info: Conv2DInfo): number[] {
  const { batchSize, inHeight, inWidth, inChannels, outHeight, outWidth, padInfo } = info;
  const { filterHeight, filterWidth, strideHeight, strideWidth } = info;
  return [
    ...[batchSize, inHeight, inWidth, inChannels, outHeight, outWidth],
    ...[filterHeight, filterWidth, strideHeight, strideWidth, padInfo.top, padInfo.left],
  ];
}
