import {
  backend_util,
  engine,
  type NamedTensorInfoMap,
  pad,
  slice,
  type Tensor,
  type Tensor4D,
  type TensorInfo,
  tidy,
  util,
} from '@tensorflow/tfjs-core';
import { inputOf } from '../registry/check-inputs.ts';
import { finished, type FusedAttributes } from './fused.ts';
import type { WasmKernel } from './wasm-kernel.ts';

type Conv2DArguments = Parameters<typeof backend_util.computeConv2DInfo>;

interface Attributes extends FusedAttributes {
  readonly strides: Conv2DArguments[2];
  readonly pad: Conv2DArguments[4];
  readonly dilations?: Conv2DArguments[3] | null;
  readonly dataFormat?: 'NHWC' | 'NCHW';
  readonly dimRoundingMode?: Conv2DArguments[5];
}

/**
 * Computes a convolution whose output has another size than the stock kernel assumes, on an input that is padded and cut
 * beforehand; null for all others. The stock kernel counts rows and columns by itself. It writes beyond its output or
 * returns zeros where TensorFlow.js counts differently: for one number as padding around windows that are not square, for
 * rounding up, and for padding `same` with strides that are longer than the windows.
 */
export function onPaddedInput(
  kernel: string,
  inputs: NamedTensorInfoMap,
  attrs: unknown,
  depthwise: boolean,
): TensorInfo | null {
  const given = attrs as Attributes;
  if ((given.dataFormat ?? 'NHWC') !== 'NHWC') return null;
  const { x, filter } = inputs as Record<'x' | 'filter', Tensor>;
  const info = backend_util.computeConv2DInfo(
    x.shape as Conv2DArguments[0],
    filter.shape as Conv2DArguments[1],
    given.strides,
    given.dilations ?? 1,
    given.pad,
    given.dimRoundingMode,
    depthwise,
  );
  const { top, bottom, left, right, type } = info.padInfo;
  const rows = (info.outHeight - 1) * info.strideHeight + info.effectiveFilterHeight;
  const columns = (info.outWidth - 1) * info.strideWidth + info.effectiveFilterWidth;
  const isCounted = [
    [info.inHeight + top + bottom - rows, info.strideHeight],
    [info.inWidth + left + right - columns, info.strideWidth],
  ].every(([rest, stride]) => rest! >= 0 && rest! < stride!);
  const isCut = type === 'SAME' && (rows < info.inHeight || columns < info.inWidth);
  if (isCounted && !isCut) return null;
  return tidy(() => {
    const after = (needed: number, length: number, before: number): [number, number] => [
      before,
      Math.max(0, needed - before - length),
    ];
    const padded = pad(x as Tensor4D, [
      [0, 0],
      after(rows, info.inHeight, top),
      after(columns, info.inWidth, left),
      [0, 0],
    ]);
    const cut = slice(padded, [0, 0, 0, 0], [info.batchSize, rows, columns, info.inChannels]);
    return engine().runKernel<Tensor>(
      kernel,
      { ...(inputs as Record<string, Tensor>), x: cut },
      { ...(attrs as object), pad: 'valid' },
    );
  });
}

/**
 * Computes a fused convolution in steps: the convolution alone, then bias and activation.
 *
 * @throws MultigradError `invalid-argument` for a bias of another size than one number, or one for each channel
 */
export function convolvedAndFinished(
  kernel: 'FusedConv2D' | 'FusedDepthwiseConv2D',
  inputs: NamedTensorInfoMap,
  attributes: FusedAttributes,
): TensorInfo {
  const given = inputs as Record<string, Tensor>;
  const { x, filter, bias } = given;
  const isDepthwise = kernel === 'FusedDepthwiseConv2D';
  const channels = isDepthwise ? filter!.shape[2]! * filter!.shape[3]! : filter!.shape[3]!;
  if (bias != null && bias.size !== 1) inputOf(kernel, inputs, 'bias', [channels]);
  return tidy(() => {
    const result = engine().runKernel<Tensor>(
      isDepthwise ? 'DepthwiseConv2dNative' : 'Conv2D',
      { x: x!, filter: filter! },
      { ...(attributes as object) },
    );
    return finished(result, given, attributes);
  });
}

/**
 * Depthwise convolutions. The stock kernels are wrong for some paddings and for a bias that is not one number per
 * channel.
 */
export const depthwiseConvolutions: readonly WasmKernel[] = [
  {
    name: 'DepthwiseConv2dNative',
    run: ({ inputs, attrs }) => onPaddedInput('DepthwiseConv2dNative', inputs, attrs, true),
  },
  {
    name: 'FusedDepthwiseConv2D',
    run: ({ inputs, attrs }) => {
      const { bias, filter } = inputs as Record<string, TensorInfo>;
      const channels = filter!.shape[2]! * filter!.shape[3]!;
      if (bias != null && !util.arraysEqual(bias.shape, [channels])) {
        return convolvedAndFinished('FusedDepthwiseConv2D', inputs, attrs as FusedAttributes);
      }
      return onPaddedInput('FusedDepthwiseConv2D', inputs, attrs, true);
    },
  },
];
