import { backend_util, type TensorInfo, util } from '@tensorflow/tfjs-core';
import { type CpuKernel, valuesOf } from './cpu-kernel.ts';

type Conv2DInfo = backend_util.Conv2DInfo;
type Conv2DArguments = Parameters<typeof backend_util.computeConv2DInfo>;
type Shape4D = Conv2DArguments[0];

interface GradientAttributes {
  readonly strides: Conv2DArguments[2];
  readonly pad: Conv2DArguments[4];
  readonly dataFormat?: 'NHWC' | 'NCHW';
  readonly dimRoundingMode?: Conv2DArguments[5];
}

/** The stock kernels go through accessor calls for each number: dozens of times slower than loops over typed arrays. */
export const conv2DBackpropFilter: CpuKernel = {
  name: 'Conv2DBackpropFilter',
  run: ({ inputs, attrs }, backend) => {
    const { x, dy } = inputs as Record<'x' | 'dy', TensorInfo>;
    const attributes = attrs as unknown as GradientAttributes & { readonly filterShape: Shape4D };
    const info = geometry(x.shape, attributes.filterShape, attributes);
    if (info === null) return null;
    const [X, D] = [valuesOf(backend, x), valuesOf(backend, dy)];
    const { inChannels, outChannels } = info;
    const sums = new Float64Array(util.sizeFromShape(info.filterShape));
    eachTap(info, (input, output, tap) => {
      for (let c = 0, w = tap * inChannels * outChannels; c < inChannels; c += 1) {
        const value = X[input + c]!;
        for (let o = 0; o < outChannels; o += 1, w += 1) sums[w]! += value * D[output + o]!;
      }
    });
    return backend.makeTensorInfo([...info.filterShape], 'float32', Float32Array.from(sums));
  },
};

export const conv2DBackpropInput: CpuKernel = {
  name: 'Conv2DBackpropInput',
  run: ({ inputs, attrs }, backend) => {
    const { dy, filter } = inputs as Record<'dy' | 'filter', TensorInfo>;
    const attributes = attrs as unknown as GradientAttributes & { readonly inputShape: Shape4D };
    const info = geometry(attributes.inputShape, filter.shape, attributes);
    if (info === null) return null;
    const [D, F] = [valuesOf(backend, dy), valuesOf(backend, filter)];
    const { inChannels, outChannels } = info;
    const sums = new Float64Array(util.sizeFromShape(info.inShape));
    eachTap(info, (input, output, tap) => {
      for (let c = 0, w = tap * inChannels * outChannels; c < inChannels; c += 1) {
        let sum = 0;
        for (let o = 0; o < outChannels; o += 1, w += 1) sum += D[output + o]! * F[w]!;
        sums[input + c]! += sum;
      }
    });
    return backend.makeTensorInfo([...info.inShape], 'float32', Float32Array.from(sums));
  },
};

/** Null where the stock kernel must do it. */
function geometry(
  inputShape: readonly number[],
  filterShape: readonly number[],
  { strides, pad, dataFormat = 'NHWC', dimRoundingMode }: GradientAttributes,
): Conv2DInfo | null {
  if (dataFormat !== 'NHWC') return null;
  const shape = inputShape as Shape4D;
  return backend_util.computeConv2DInfo(
    shape,
    filterShape as Shape4D,
    strides,
    1,
    pad,
    dimRoundingMode,
  );
}

/** Visits each output position and each tap of its window inside the input: offsets of input and output, index of tap. */
function eachTap(
  info: Conv2DInfo,
  visit: (input: number, output: number, tap: number) => void,
): void {
  const { batchSize, inHeight, inWidth, inChannels, outHeight, outWidth, outChannels } = info;
  const { filterHeight, filterWidth, strideHeight, strideWidth, padInfo } = info;
  let output = 0;
  for (let n = 0; n < batchSize; n += 1) {
    for (let i = 0; i < outHeight; i += 1) {
      for (let j = 0; j < outWidth; j += 1, output += outChannels) {
        for (let kh = 0; kh < filterHeight; kh += 1) {
          const row = i * strideHeight + kh - padInfo.top;
          if (row < 0 || row >= inHeight) continue;
          for (let kw = 0; kw < filterWidth; kw += 1) {
            const column = j * strideWidth + kw - padInfo.left;
            if (column < 0 || column >= inWidth) continue;
            visit(
              ((n * inHeight + row) * inWidth + column) * inChannels,
              output,
              kh * filterWidth + kw,
            );
          }
        }
      }
    }
  }
}
