import { type backend_util, util } from '@tensorflow/tfjs-core';
import type { Values } from './compare-backends.ts';

type Conv2DInfo = backend_util.Conv2DInfo;

/** One product of a convolution: offsets into input, filter and output. */
type Visit = (input: number, filter: number, output: number) => void;

// These functions follow the definition and are not fast. A convolution adds y[c] += x[a] · F[b] for each of its index
// triples (a, b, c), so both gradients follow from the same triples.

function eachProduct(info: Conv2DInfo, visit: Visit): void {
  const { inChannels, outChannels, filterWidth } = info;
  eachTap(info, (pixel, position, kh, kw) => {
    for (let c = 0; c < inChannels; c += 1) {
      for (let o = 0; o < outChannels; o += 1) {
        const filter = ((kh * filterWidth + kw) * inChannels + c) * outChannels + o;
        visit(pixel * inChannels + c, filter, position * outChannels + o);
      }
    }
  });
}

function eachDepthwiseProduct(info: Conv2DInfo, visit: Visit): void {
  const { inChannels, outChannels, filterWidth } = info;
  const multiplier = outChannels / inChannels;
  eachTap(info, (pixel, position, kh, kw) => {
    for (let o = 0; o < outChannels; o += 1) {
      const filter = (kh * filterWidth + kw) * outChannels + o;
      visit(pixel * inChannels + Math.floor(o / multiplier), filter, position * outChannels + o);
    }
  });
}

/** Calls `visit` with the input pixel and the output position (indices over n, row, column) of each tap of each window. */
function eachTap(
  info: Conv2DInfo,
  visit: (pixel: number, position: number, kh: number, kw: number) => void,
): void {
  const { batchSize, inHeight, inWidth, outHeight, outWidth, padInfo } = info;
  for (let n = 0; n < batchSize; n += 1) {
    for (let i = 0; i < outHeight; i += 1) {
      for (let j = 0; j < outWidth; j += 1) {
        for (let kh = 0; kh < info.filterHeight; kh += 1) {
          for (let kw = 0; kw < info.filterWidth; kw += 1) {
            const row = i * info.strideHeight + kh * info.dilationHeight - padInfo.top;
            const column = j * info.strideWidth + kw * info.dilationWidth - padInfo.left;
            if (row < 0 || row >= inHeight || column < 0 || column >= inWidth) continue;
            visit(
              (n * inHeight + row) * inWidth + column,
              (n * outHeight + i) * outWidth + j,
              kh,
              kw,
            );
          }
        }
      }
    }
  }
}

type EachProduct = (info: Conv2DInfo, visit: Visit) => void;

function forward(each: EachProduct, x: Values, filter: Values, info: Conv2DInfo): Float64Array {
  const y = new Float64Array(util.sizeFromShape(info.outShape));
  each(info, (a, b, c) => (y[c]! += x[a]! * filter[b]!));
  return y;
}

function filterGradient(each: EachProduct, x: Values, dy: Values, info: Conv2DInfo): Float64Array {
  const gradient = new Float64Array(util.sizeFromShape(info.filterShape));
  each(info, (a, b, c) => (gradient[b]! += x[a]! * dy[c]!));
  return gradient;
}

function inputGradient(
  each: EachProduct,
  dy: Values,
  filter: Values,
  info: Conv2DInfo,
): Float64Array {
  const gradient = new Float64Array(util.sizeFromShape(info.inShape));
  each(info, (a, b, c) => (gradient[a]! += dy[c]! * filter[b]!));
  return gradient;
}

/** Convolution of x [n, h, w, c] with filter [kh, kw, c, o], in float64. */
export function convolution(x: Values, filter: Values, info: Conv2DInfo): Float64Array {
  return forward(eachProduct, x, filter, info);
}

/** Gradient of `Σ dy · convolution(x, filter)` with respect to the filter. */
export function convolutionFilterGradient(x: Values, dy: Values, info: Conv2DInfo): Float64Array {
  return filterGradient(eachProduct, x, dy, info);
}

/** Gradient of `Σ dy · convolution(x, filter)` with respect to x. */
export function convolutionInputGradient(
  dy: Values,
  filter: Values,
  info: Conv2DInfo,
): Float64Array {
  return inputGradient(eachProduct, dy, filter, info);
}

/** Depthwise convolution of x [n, h, w, c] with filter [kh, kw, c, m]: output channel c · m + k, in float64. */
export function depthwiseConvolution(x: Values, filter: Values, info: Conv2DInfo): Float64Array {
  return forward(eachDepthwiseProduct, x, filter, info);
}

/** Gradient of `Σ dy · depthwiseConvolution(x, filter)` with respect to the filter. */
export function depthwiseFilterGradient(x: Values, dy: Values, info: Conv2DInfo): Float64Array {
  return filterGradient(eachDepthwiseProduct, x, dy, info);
}

/** Gradient of `Σ dy · depthwiseConvolution(x, filter)` with respect to x. */
export function depthwiseInputGradient(dy: Values, filter: Values, info: Conv2DInfo): Float64Array {
  return inputGradient(eachDepthwiseProduct, dy, filter, info);
}

/** Gradient of `Σ dy · maxPool(x)` with respect to x: the first maximum of a window, row by row, takes all. */
export function maxPoolGradient(x: Values, dy: Values, info: Conv2DInfo): Float64Array {
  const { inChannels } = info;
  const outputs = util.sizeFromShape(info.outShape);
  const largest = new Float64Array(outputs).fill(-Infinity);
  const winner = new Int32Array(outputs).fill(-1);
  eachTap(info, (pixel, position) => {
    for (let c = 0; c < inChannels; c += 1) {
      const [input, output] = [pixel * inChannels + c, position * inChannels + c];
      if (x[input]! <= largest[output]! || Number.isNaN(x[input]!)) continue;
      largest[output] = x[input]!;
      winner[output] = input;
    }
  });
  const gradient = new Float64Array(util.sizeFromShape(info.inShape));
  winner.forEach((input, output) => {
    if (input >= 0) gradient[input]! += dy[output]!;
  });
  return gradient;
}

/** Sizes of a product of matrices, after their transposition: [batch, rows, inner] · [batch, inner, columns]. */
export interface ProductSizes {
  readonly batch?: number;
  readonly rows: number;
  readonly inner: number;
  readonly columns: number;
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
}

/** Product of two batches of matrices, either one stored transposed, in float64. */
export function matrixProduct(a: Values, b: Values, sizes: ProductSizes): Float64Array {
  const { batch = 1, rows, inner, columns, transposeA = false, transposeB = false } = sizes;
  const product = new Float64Array(batch * rows * columns);
  for (let n = 0; n < batch; n += 1) {
    for (let i = 0; i < rows; i += 1) {
      for (let j = 0; j < columns; j += 1) {
        for (let k = 0; k < inner; k += 1) {
          const left = n * rows * inner + (transposeA ? k * rows + i : i * inner + k);
          const right = n * inner * columns + (transposeB ? j * inner + k : k * columns + j);
          product[(n * rows + i) * columns + j]! += a[left]! * b[right]!;
        }
      }
    }
  }
  return product;
}

/** `out[ids[i], :] += x[i, :]` in float64; ids outside 0 … segments − 1 are left out, as on the cpu backend. */
export function segmentSum(
  x: Values,
  ids: readonly number[] | Int32Array,
  segments: number,
): Float64Array {
  const width = ids.length === 0 ? 0 : x.length / ids.length;
  const sums = new Float64Array(segments * width);
  ids.forEach((id, i) => {
    if (id < 0 || id >= segments) return;
    for (let c = 0; c < width; c += 1) sums[id * width + c]! += x[i * width + c]!;
  });
  return sums;
}
