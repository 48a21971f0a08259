import { backend_util } from '@tensorflow/tfjs-core';
import { checkChannels, inputOf } from '../registry/check-inputs.ts';
import type { WasmKernel } from './wasm-kernel.ts';

type Conv3DArguments = Parameters<typeof backend_util.computeConv3DInfo>;

interface Conv3DAttributes {
  readonly strides: Conv3DArguments[2];
  readonly pad: Conv3DArguments[4];
}

/** The gradient of a convolution of volumes by its filter. The stock kernel is wrong for strides above 1. */
export const conv3DBackpropFilter: WasmKernel = {
  name: 'Conv3DBackpropFilterV2',
  run: ({ inputs, attrs }, heap) => {
    const name = 'Conv3DBackpropFilterV2';
    const x = inputOf(name, inputs, 'x');
    const attributes = attrs as unknown as Conv3DAttributes & { readonly filterShape: number[] };
    const { outShape, numbers } = geometry(name, x.shape, attributes.filterShape, attributes);
    const dy = inputOf(name, inputs, 'dy', outShape);
    const out = heap.output(attributes.filterShape);
    heap.kernels.convolution_3d_filter_gradient(
      heap.pointer(x),
      heap.pointer(dy),
      heap.pointer(out),
      ...numbers,
    );
    return out;
  },
};

/** The gradient of a convolution of volumes by its input. The stock kernel is always wrong. */
export const conv3DBackpropInput: WasmKernel = {
  name: 'Conv3DBackpropInputV2',
  run: ({ inputs, attrs }, heap) => {
    const name = 'Conv3DBackpropInputV2';
    const filter = inputOf(name, inputs, 'filter');
    const attributes = attrs as unknown as Conv3DAttributes & { readonly inputShape: number[] };
    const { outShape, numbers } = geometry(name, attributes.inputShape, filter.shape, attributes);
    const dy = inputOf(name, inputs, 'dy', outShape);
    const out = heap.output(attributes.inputShape);
    heap.kernels.convolution_3d_input_gradient(
      heap.pointer(dy),
      heap.pointer(filter),
      heap.pointer(out),
      ...numbers,
    );
    return out;
  },
};

/** The geometry of a convolution of volumes. TensorFlow.js's gradients take neither dilation nor channels first here. */
function geometry(
  kernel: string,
  inputShape: readonly number[],
  filterShape: readonly number[],
  { strides, pad }: Conv3DAttributes,
): { readonly outShape: readonly number[]; readonly numbers: readonly number[] } {
  checkChannels(kernel, inputShape, filterShape);
  const info = backend_util.computeConv3DInfo(
    inputShape as Conv3DArguments[0],
    filterShape as Conv3DArguments[1],
    strides,
    1,
    pad,
  );
  const { padInfo, outShape } = info;
  const numbers = [
    info.batchSize,
    info.inDepth,
    info.inHeight,
    info.inWidth,
    info.inChannels,
    info.outDepth,
    info.outHeight,
    info.outWidth,
    info.outChannels,
    info.filterDepth,
    info.filterHeight,
    info.filterWidth,
    info.strideDepth,
    info.strideHeight,
    info.strideWidth,
    padInfo.front,
    padInfo.top,
    padInfo.left,
  ];
  return { outShape, numbers };
}
