import { backend_util, type TensorInfo } from '@tensorflow/tfjs-core';
import type { WasmKernel } from './wasm-kernel.ts';

type Conv3DArguments = Parameters<typeof backend_util.computeConv3DInfo>;

interface Conv3DAttributes {
  readonly strides: Conv3DArguments[2];
  readonly pad: Conv3DArguments[4];
}

/** The stock kernel returns wrong numbers wherever there is a stride. */
export const conv3DBackpropFilter: WasmKernel = {
  name: 'Conv3DBackpropFilterV2',
  run: ({ inputs, attrs }, heap) => {
    const { x, dy } = inputs as Record<'x' | 'dy', TensorInfo>;
    const { filterShape } = attrs as unknown as { readonly filterShape: number[] };
    const out = heap.output(filterShape);
    heap.kernels.convolution_3d_filter_gradient(
      heap.pointer(x),
      heap.pointer(dy),
      heap.pointer(out),
      ...geometry(x.shape, filterShape, attrs as unknown as Conv3DAttributes),
    );
    return out;
  },
};

/** The stock kernel returns wrong numbers everywhere. */
export const conv3DBackpropInput: WasmKernel = {
  name: 'Conv3DBackpropInputV2',
  run: ({ inputs, attrs }, heap) => {
    const { dy, filter } = inputs as Record<'dy' | 'filter', TensorInfo>;
    const { inputShape } = attrs as unknown as { readonly inputShape: number[] };
    const out = heap.output(inputShape);
    heap.kernels.convolution_3d_input_gradient(
      heap.pointer(dy),
      heap.pointer(filter),
      heap.pointer(out),
      ...geometry(inputShape, filter.shape, attrs as unknown as Conv3DAttributes),
    );
    return out;
  },
};

/** Gradients of TensorFlow.js know neither dilation nor channels first here. */
function geometry(
  inputShape: readonly number[],
  filterShape: readonly number[],
  { strides, pad }: Conv3DAttributes,
): number[] {
  const info = backend_util.computeConv3DInfo(
    inputShape as Conv3DArguments[0],
    filterShape as Conv3DArguments[1],
    strides,
    1,
    pad,
  );
  const { padInfo } = info;
  return [
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
}
