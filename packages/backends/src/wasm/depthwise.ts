import { backend_util } from '@tensorflow/tfjs-core';
import { checkChannels, inputOf } from '../registry/check-inputs.ts';
import type { WasmKernel } from './wasm-kernel.ts';

type Conv2DArguments = Parameters<typeof backend_util.computeConv2DInfo>;
type Shape4D = Conv2DArguments[0];

interface DepthwiseAttributes {
  readonly strides: Conv2DArguments[2];
  readonly dilations?: Conv2DArguments[3];
  readonly pad: Conv2DArguments[4];
  readonly dimRoundingMode?: Conv2DArguments[5];
}

interface Geometry {
  readonly outShape: readonly number[];
  /** The numbers that the compiled kernels take. */
  readonly numbers: readonly number[];
}

function geometry(
  kernel: string,
  inputShape: readonly number[],
  filterShape: readonly number[],
  { strides, dilations = 1, pad, dimRoundingMode }: DepthwiseAttributes,
): Geometry {
  checkChannels(kernel, inputShape, filterShape);
  const info = backend_util.computeConv2DInfo(
    inputShape as Shape4D,
    filterShape as Shape4D,
    strides,
    dilations,
    pad,
    dimRoundingMode,
    true,
  );
  const numbers = [
    info.batchSize,
    info.inHeight,
    info.inWidth,
    info.inChannels,
    info.outChannels / info.inChannels,
    info.filterHeight,
    info.filterWidth,
    info.outHeight,
    info.outWidth,
    info.strideHeight,
    info.strideWidth,
    info.dilationHeight,
    info.dilationWidth,
    info.padInfo.top,
    info.padInfo.left,
  ];
  return { outShape: info.outShape, numbers };
}

/** The filter gradient of a depthwise convolution. The stock backend has no kernel for it. */
export const depthwiseBackpropFilter: WasmKernel = {
  name: 'DepthwiseConv2dNativeBackpropFilter',
  run: ({ inputs, attrs }, heap) => {
    const name = 'DepthwiseConv2dNativeBackpropFilter';
    const x = inputOf(name, inputs, 'x');
    const attributes = attrs as unknown as DepthwiseAttributes & { readonly filterShape: number[] };
    const { outShape, numbers } = geometry(name, x.shape, attributes.filterShape, attributes);
    const dy = inputOf(name, inputs, 'dy', outShape);
    const out = heap.output(attributes.filterShape);
    heap.kernels.depthwise_filter_gradient(
      heap.pointer(x),
      heap.pointer(dy),
      heap.pointer(out),
      ...numbers,
    );
    return out;
  },
};

/** The input gradient of a depthwise convolution. The stock backend has no kernel for it. */
export const depthwiseBackpropInput: WasmKernel = {
  name: 'DepthwiseConv2dNativeBackpropInput',
  run: ({ inputs, attrs }, heap) => {
    const name = 'DepthwiseConv2dNativeBackpropInput';
    const filter = inputOf(name, inputs, 'filter');
    const attributes = attrs as unknown as DepthwiseAttributes & { readonly inputShape: number[] };
    const { outShape, numbers } = geometry(name, attributes.inputShape, filter.shape, attributes);
    const dy = inputOf(name, inputs, 'dy', outShape);
    const out = heap.output(attributes.inputShape);
    heap.kernels.depthwise_input_gradient(
      heap.pointer(dy),
      heap.pointer(filter),
      heap.pointer(out),
      ...numbers,
    );
    return out;
  },
};
