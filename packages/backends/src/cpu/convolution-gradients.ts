import { backend_util, util } from '@tensorflow/tfjs-core';
import { checkChannels, inputOf, isLarger } from '../registry/check-inputs.ts';
import { type CpuKernel, valuesOf } from './cpu-kernel.ts';

type Conv2DInfo = backend_util.Conv2DInfo;
type Conv2DArguments = Parameters<typeof backend_util.computeConv2DInfo>;
type Shape4D = Conv2DArguments[0];

interface GradientAttributes {
  readonly strides: Conv2DArguments[2];
  readonly pad: Conv2DArguments[4];
  readonly dataFormat?: 'NHWC' | 'NCHW';
  readonly dilations?: Conv2DArguments[3];
  readonly dimRoundingMode?: Conv2DArguments[5];
}

/**
 * `dF[kh, kw, c, o] = Σ x[n, i·s + kh − top, j·s + kw − left, c] · dy[n, i, j, o]` over n, i, j; NHWC.
 *
 * The stock kernel calls accessors for each number, which is dozens of times slower than loops over typed arrays. Zeros are
 * multiplied like other numbers, so that NaN and infinity in the other factor reach the result.
 */
export const conv2DBackpropFilter: CpuKernel = {
  name: 'Conv2DBackpropFilter',
  run: ({ inputs, attrs }, backend) => {
    const name = 'Conv2DBackpropFilter';
    const x = inputOf(name, inputs, 'x');
    const attributes = attrs as unknown as GradientAttributes & { readonly filterShape: Shape4D };
    if (!isSupported(attributes)) return null;
    const info = geometry(name, x.shape, attributes.filterShape, attributes);
    const dy = inputOf(name, inputs, 'dy', info.outShape);
    const [X, D] = [valuesOf(backend, x), valuesOf(backend, dy)];
    const { inChannels, outChannels } = info;
    const sums = new Float64Array(util.sizeFromShape(info.filterShape));
    eachTap(info, (input, output, tap) => {
      addOuterProduct(
        sums,
        tap * inChannels * outChannels,
        X,
        input,
        inChannels,
        D,
        output,
        outChannels,
      );
    });
    return backend.makeTensorInfo([...info.filterShape], 'float32', new Float32Array(sums));
  },
};

/** `dx[n, i·s + kh − top, j·s + kw − left, c] = Σ dy[n, i, j, o] · F[kh, kw, c, o]` over i, j, kh, kw, o; NHWC. */
export const conv2DBackpropInput: CpuKernel = {
  name: 'Conv2DBackpropInput',
  run: ({ inputs, attrs }, backend) => {
    const name = 'Conv2DBackpropInput';
    const filter = inputOf(name, inputs, 'filter');
    const attributes = attrs as unknown as GradientAttributes & { readonly inputShape: Shape4D };
    if (!isSupported(attributes)) return null;
    const info = geometry(name, attributes.inputShape, filter.shape, attributes);
    if (isLarger(inputs['dy']?.shape ?? [], info.outShape)) return null;
    const dy = inputOf(name, inputs, 'dy', info.outShape);
    const [D, F] = [valuesOf(backend, dy), valuesOf(backend, filter)];
    const { inChannels, outChannels } = info;
    const sums = new Float64Array(util.sizeFromShape(info.inShape));
    eachTap(info, (input, output, tap) => {
      addMatrixVector(
        sums,
        input,
        inChannels,
        F,
        tap * inChannels * outChannels,
        D,
        output,
        outChannels,
      );
    });
    return backend.makeTensorInfo([...info.inShape], 'float32', new Float32Array(sums));
  },
};

/**
 * `sums[at + c · outputs + o] += x[input + c] · d[output + o]`. All that it uses are arguments: with captured variables it
 * takes a third longer.
 */
function addOuterProduct(
  sums: Float64Array,
  at: number,
  x: Float32Array,
  input: number,
  inputs: number,
  d: Float32Array,
  output: number,
  outputs: number,
): void {
  for (let c = 0, w = at; c < inputs; c += 1) {
    const value = x[input + c]!;
    for (let o = 0; o < outputs; o += 1, w += 1) sums[w]! += value * d[output + o]!;
  }
}

/** `sums[at + c] += Σ_o f[tap + c · outputs + o] · d[output + o]`. */
function addMatrixVector(
  sums: Float64Array,
  at: number,
  inputs: number,
  f: Float32Array,
  tap: number,
  d: Float32Array,
  output: number,
  outputs: number,
): void {
  for (let c = 0, w = tap; c < inputs; c += 1) {
    let sum = 0;
    for (let o = 0; o < outputs; o += 1, w += 1) sum += d[output + o]! * f[w]!;
    sums[at + c]! += sum;
  }
}

/** Whether our loops cover the call. The stock kernel computes the others. */
function isSupported({ dataFormat = 'NHWC', dilations = 1 }: GradientAttributes): boolean {
  return dataFormat === 'NHWC' && [dilations].flat().every((dilation) => dilation === 1);
}

function geometry(
  kernel: string,
  inputShape: readonly number[],
  filterShape: readonly number[],
  { strides, pad, dimRoundingMode }: GradientAttributes,
): Conv2DInfo {
  checkChannels(kernel, inputShape, filterShape);
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
 * Calls `visit` for each output position and each tap of its window that lies inside the input, with the offsets of input
 * and output and the index of the tap.
 */
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
