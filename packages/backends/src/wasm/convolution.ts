import {
  backend_util,
  engine,
  type NamedTensorInfoMap,
  slice,
  type Tensor,
  type TensorInfo,
  tidy,
  util,
} from '@tensorflow/tfjs-core';
import { checkChannels, inputOf, isLarger } from '../registry/check-inputs.ts';
import { convolvedAndFinished, onPaddedInput } from './convolution-steps.ts';
import type { FusedAttributes } from './fused.ts';
import type { KernelHeap } from './kernel-heap.ts';
import type { WasmKernel } from './wasm-kernel.ts';

type Conv2DInfo = backend_util.Conv2DInfo;
type Conv2DArguments = Parameters<typeof backend_util.computeConv2DInfo>;
type Shape4D = Conv2DArguments[0];

interface Conv2DAttributes {
  readonly strides: Conv2DArguments[2];
  readonly pad: Conv2DArguments[4];
  readonly dataFormat?: 'NHWC' | 'NCHW';
  readonly dilations?: Conv2DArguments[3];
  readonly dimRoundingMode?: Conv2DArguments[5];
}

const float = 4;

/** Convolution. The stock kernel computes dilated ones. */
export const conv2D: WasmKernel = {
  name: 'Conv2D',
  run: ({ inputs, attrs }, heap) =>
    convolve('Conv2D', inputs, attrs, heap, false) ?? onPaddedInput('Conv2D', inputs, attrs, false),
};

/**
 * Convolution, bias and ReLU in one pass. Other activations, dilated convolutions and a bias that must be broadcast are
 * computed in several passes.
 */
export const fusedConv2D: WasmKernel = {
  name: 'FusedConv2D',
  run: ({ inputs, attrs }, heap) => {
    const given = attrs as unknown as Conv2DAttributes & FusedAttributes;
    const { activation = 'linear', dataFormat = 'NHWC' } = given;
    if (activation === 'linear' || activation === 'relu') {
      const result = convolve('FusedConv2D', inputs, attrs, heap, activation === 'relu');
      if (result !== null) return result;
    }
    if (dataFormat !== 'NHWC') return null;
    return convolvedAndFinished('FusedConv2D', inputs, given);
  },
};

function convolve(
  name: string,
  inputs: NamedTensorInfoMap,
  attrs: unknown,
  heap: KernelHeap,
  relu: boolean,
): TensorInfo | null {
  const x = inputOf(name, inputs, 'x');
  const filter = inputOf(name, inputs, 'filter');
  const info = geometry(name, x.shape, filter.shape, attrs as Conv2DAttributes);
  const bias = inputs['bias'] === undefined ? undefined : inputOf(name, inputs, 'bias');
  if (info === null) return null;
  if (bias !== undefined && !util.arraysEqual(bias.shape, [info.outChannels])) return null;
  const { kernels } = heap;
  const out = heap.output(info.outShape);
  const padded = paddedSize(info);
  const panels =
    info.filterHeight * info.filterWidth * info.inChannels * panelChannels(info.outChannels);
  const scratch = heap.scratch(float * (padded.size + panels));
  const input = padInput(heap, x, info, padded, scratch);
  const packed = scratch + float * padded.size;
  kernels.pack_filter(
    heap.pointer(filter),
    packed,
    info.filterHeight,
    info.filterWidth,
    info.inChannels,
    info.outChannels,
  );
  kernels.convolution(
    heap.job,
    input,
    packed,
    heap.pointer(out),
    info.batchSize,
    padded.rows,
    padded.columns,
    info.inChannels,
    info.filterHeight,
    info.filterWidth,
    info.strideHeight,
    info.strideWidth,
    0,
    0,
    info.outHeight,
    info.outWidth,
    info.outChannels,
    info.outHeight,
    info.outWidth,
    0,
    0,
    1,
    1,
    bias === undefined ? 0 : heap.pointer(bias),
    relu ? 1 : 0,
    info.padInfo.top,
    info.inHeight,
  );
  return out;
}

/** The gradient of a convolution with respect to its filter. The stock kernel computes dilated ones. */
export const conv2DBackpropFilter: WasmKernel = {
  name: 'Conv2DBackpropFilter',
  run: ({ inputs, attrs }, heap) => {
    const name = 'Conv2DBackpropFilter';
    const x = inputOf(name, inputs, 'x');
    const attributes = attrs as unknown as Conv2DAttributes & { readonly filterShape: Shape4D };
    const info = geometry(name, x.shape, attributes.filterShape, attributes);
    if (info === null) return null;
    const dy = inputOf(name, inputs, 'dy', info.outShape);
    const out = heap.output(info.filterShape);
    const padded = paddedSize(info);
    const input = padInput(heap, x, info, padded, heap.scratch(float * padded.size));
    heap.kernels.filter_gradient(
      heap.job,
      input,
      heap.pointer(dy),
      heap.pointer(out),
      info.batchSize,
      padded.rows,
      padded.columns,
      info.inChannels,
      info.filterHeight,
      info.filterWidth,
      info.strideHeight,
      info.strideWidth,
      info.outHeight,
      info.outWidth,
      info.outChannels,
    );
    return out;
  },
};

/**
 * The input gradient, computed phase by phase. A phase is all input rows or columns with the same offset modulo the stride.
 * They meet the same taps, so each phase is a dense convolution of dy with those taps, and no zero is multiplied.
 */
export const conv2DBackpropInput: WasmKernel = {
  name: 'Conv2DBackpropInput',
  run: ({ inputs, attrs }, heap) => {
    const name = 'Conv2DBackpropInput';
    const filter = inputOf(name, inputs, 'filter');
    const attributes = attrs as unknown as Conv2DAttributes & { readonly inputShape: Shape4D };
    const info = geometry(name, attributes.inputShape, filter.shape, attributes);
    if (info === null) return null;
    if (isLarger(inputs['dy']?.shape ?? [], info.outShape)) {
      const given = inputs as Record<'dy' | 'filter', Tensor>;
      return tidy(() => {
        const dy = slice(given.dy, [0, 0, 0, 0], info.outShape);
        return engine().runKernel<Tensor>(name, { ...given, dy }, attrs);
      });
    }
    const dy = inputOf(name, inputs, 'dy', info.outShape);
    const { padInfo, batchSize, inHeight, inWidth, inChannels, outHeight, outWidth, outChannels } =
      info;
    const rows = phases(inHeight, info.filterHeight, info.strideHeight, padInfo.top);
    const columns = phases(inWidth, info.filterWidth, info.strideWidth, padInfo.left);
    const out = heap.output(attributes.inputShape);
    if ([...rows.list, ...columns.list].some(({ taps }) => taps === 0)) heap.clear(out);

    const paddedFloats = batchSize * rows.padded * columns.padded * outChannels;
    const panels = info.filterHeight * info.filterWidth * outChannels * panelChannels(inChannels);
    const scratch = heap.scratch(float * (paddedFloats + panels));
    const packed = scratch + float * paddedFloats;
    const { kernels } = heap;
    kernels.pad(
      heap.job,
      heap.pointer(dy),
      scratch,
      batchSize,
      outHeight,
      outWidth,
      outChannels,
      rows.padded,
      columns.padded,
      rows.before,
      columns.before,
    );
    for (const row of rows.list) {
      for (const column of columns.list) {
        if (row.taps === 0 || column.taps === 0 || row.count === 0 || column.count === 0) continue;
        kernels.pack_phase(
          heap.pointer(filter),
          packed,
          info.filterHeight,
          info.filterWidth,
          inChannels,
          outChannels,
          row.firstTap,
          column.firstTap,
          info.strideHeight,
          info.strideWidth,
        );
        kernels.convolution(
          heap.job,
          scratch,
          packed,
          heap.pointer(out),
          batchSize,
          rows.padded,
          columns.padded,
          outChannels,
          row.taps,
          column.taps,
          1,
          1,
          row.start,
          column.start,
          row.count,
          column.count,
          inChannels,
          inHeight,
          inWidth,
          row.phase,
          column.phase,
          info.strideHeight,
          info.strideWidth,
          0,
          0,
          rows.before,
          outHeight,
        );
      }
    }
    return out;
  },
};

interface Phase {
  /** The first of the input positions `phase, phase + stride, …`, of which there are `count`. */
  readonly phase: number;
  readonly count: number;
  /** The first of the taps that these positions meet: `firstTap, firstTap + stride, …`, `taps` in number. */
  readonly firstTap: number;
  readonly taps: number;
  /** The place in the padded gradient where the first position's window begins. */
  readonly start: number;
}

/** The phases of one axis, and how much dy must be padded for all of them. */
function phases(
  length: number,
  kernel: number,
  stride: number,
  pad: number,
): { list: Phase[]; before: number; padded: number } {
  const found = Array.from({ length: Math.min(stride, length) }, (_, phase) => {
    const firstTap = (phase + pad) % stride;
    const taps = Math.max(0, Math.ceil((kernel - firstTap) / stride));
    // dx[phase + stride i] = Σ_m dy[offset + i − m] · filter[firstTap + stride m]
    const offset = (phase + pad - firstTap) / stride;
    return { phase, firstTap, taps, offset, count: Math.ceil((length - phase) / stride) };
  });
  const before = Math.max(0, ...found.map(({ taps, offset }) => taps - 1 - offset));
  const list = found.map(({ offset, ...phase }) => ({
    ...phase,
    start: before + offset - (phase.taps - 1),
  }));
  const padded = Math.max(1, ...list.map(({ start, count, taps }) => start + count - 1 + taps));
  return { list, before, padded };
}

/** The sizes of a convolution; null where ours does not cover it: channels first, dilation, or an axis of length 0. */
function geometry(
  kernel: string,
  inputShape: readonly number[],
  filterShape: readonly number[],
  { strides, pad, dataFormat = 'NHWC', dilations = 1, dimRoundingMode }: Conv2DAttributes,
): Conv2DInfo | null {
  if (dataFormat !== 'NHWC') return null;
  checkChannels(kernel, inputShape, filterShape);
  const info = backend_util.computeConv2DInfo(
    inputShape as Shape4D,
    filterShape as Shape4D,
    strides,
    dilations,
    pad,
    dimRoundingMode,
    false,
    'channelsLast',
  );
  const empty = [...info.inShape, ...info.outShape, ...info.filterShape].includes(0);
  return info.dilationHeight === 1 && info.dilationWidth === 1 && !empty ? info : null;
}

interface PaddedSize {
  readonly rows: number;
  readonly columns: number;
  /** The number of floats of the padded copy; 0 where the input can be used as it is. */
  readonly size: number;
}

function paddedSize(info: Conv2DInfo): PaddedSize {
  const rows = (info.outHeight - 1) * info.strideHeight + info.filterHeight;
  const columns = (info.outWidth - 1) * info.strideWidth + info.filterWidth;
  const { top, left } = info.padInfo;
  if (top === 0 && left === 0 && rows <= info.inHeight && columns <= info.inWidth) {
    return { rows: info.inHeight, columns: info.inWidth, size: 0 };
  }
  return { rows, columns, size: info.batchSize * rows * columns * info.inChannels };
}

/** Returns the address of the padded input: a copy in `scratch` where padding is needed, else the input itself. */
function padInput(
  heap: KernelHeap,
  x: TensorInfo,
  info: Conv2DInfo,
  padded: PaddedSize,
  scratch: number,
): number {
  if (padded.size === 0) return heap.pointer(x);
  heap.kernels.pad(
    heap.job,
    heap.pointer(x),
    scratch,
    info.batchSize,
    info.inHeight,
    info.inWidth,
    info.inChannels,
    padded.rows,
    padded.columns,
    info.padInfo.top,
    info.padInfo.left,
  );
  return scratch;
}

/** The number of channels in the panels for `outputs` channels: panels hold 8, and the last holds 4 where that is enough. */
export function panelChannels(outputs: number): number {
  return Math.ceil(outputs / 4) * 4;
}
