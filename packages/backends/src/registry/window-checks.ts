import { MultigradError } from '@multigrad/core/strategy';
import { backend_util, type TensorInfo, util, zeros } from '@tensorflow/tfjs-core';
import type { KernelCall, OwnKernel } from './own-kernel.ts';
import { poolGeometry } from './pool-geometry.ts';

type Conv2DArguments = Parameters<typeof backend_util.computeConv2DInfo>;
type Conv3DArguments = Parameters<typeof backend_util.computeConv3DInfo>;
type DilationArguments = Parameters<typeof backend_util.computeDilation2DInfo>;

interface WindowAttributes {
  readonly filterSize?: number | number[];
  readonly strides: Conv2DArguments[2];
  /** Null, which `tf.layers` passes, means 1. */
  readonly dilations?: Conv2DArguments[3] | null;
  readonly pad: Conv2DArguments[4];
  readonly dimRoundingMode?: Conv2DArguments[5];
  readonly dataFormat?: string;
}

/** Returns the shape of an output, given the shapes of the input and of the filter; `[]` where there is no filter. */
type OutputShape = (
  input: readonly number[],
  filter: readonly number[],
  attributes: WindowAttributes,
) => readonly number[];

/**
 * Checks of pooling and convolution that the stock kernels do not make: strides and windows have at least one pixel, and a
 * window fits into the padded image. A window that is larger than the image leads to negative lengths, with which stock wasm
 * kernels overwrite the memory of other tensors. An output with an axis of length 0 is an empty tensor, as in TensorFlow.
 */
export const windowChecks: readonly OwnKernel<unknown>[] = [
  ...['MaxPool', 'AvgPool'].map((name) => checked(name, pooled(2))),
  ...['MaxPool3D', 'AvgPool3D'].map((name) => checked(name, pooled(3))),
  checked('MaxPoolWithArgmax', pooled(2), 2),
  ...['Conv2D', 'FusedConv2D'].map((name) => checked(name, convolved(false))),
  ...['DepthwiseConv2dNative', 'FusedDepthwiseConv2D'].map((name) =>
    checked(name, convolved(true)),
  ),
  checked(
    'Conv3D',
    (input, filter, { strides, dilations, pad }) =>
      backend_util.computeConv3DInfo(
        input as Conv3DArguments[0],
        filter as Conv3DArguments[1],
        strides as unknown as Conv3DArguments[2],
        (dilations ?? 1) as unknown as Conv3DArguments[3],
        pad as Conv3DArguments[4],
      ).outShape,
  ),
  checked(
    'Dilation2D',
    (input, filter, { strides, dilations, pad }) =>
      backend_util.computeDilation2DInfo(
        input as DilationArguments[0],
        filter as DilationArguments[1],
        strides,
        pad as DilationArguments[3],
        'NHWC',
        dilations ?? 1,
      ).outShape,
  ),
];

function pooled(axes: 2 | 3): OutputShape {
  return (input, _, attributes) => poolGeometry(axes, input, attributes)?.outShape ?? [];
}

function convolved(depthwise: boolean): OutputShape {
  return (input, filter, attributes) => {
    const { strides, dilations, pad, dimRoundingMode, dataFormat = 'NHWC' } = attributes;
    return backend_util.computeConv2DInfo(
      input as Conv2DArguments[0],
      filter as Conv2DArguments[1],
      strides,
      dilations ?? 1,
      pad,
      dimRoundingMode,
      depthwise,
      backend_util.convertConv2DDataFormat(dataFormat as 'NHWC'),
    ).outShape;
  };
}

/** @param outputs - how many tensors the kernel returns, of one shape */
function checked(name: string, outputShape: OutputShape, outputs = 1): OwnKernel<unknown> {
  return {
    name,
    run: ({ inputs, attrs }: KernelCall) => {
      const { x, filter } = inputs as Partial<Record<'x' | 'filter', TensorInfo>>;
      const attributes = attrs as unknown as WindowAttributes;
      const lengths = filter?.shape ?? attributes.filterSize ?? [];
      refuseUnlessPositive(name, filter === undefined ? 'filterSize' : 'filter lengths', lengths);
      refuseUnlessPositive(name, 'strides', attributes.strides);
      refuseUnlessPositive(name, 'dilations', attributes.dilations ?? 1);
      const shape = outputShape(x!.shape, filter?.shape ?? [], attributes);
      if (shape.some((length) => length < 0)) {
        throw new MultigradError(
          'invalid-argument',
          `Kernel ${name} should get windows that fit into an image of [${String(x!.shape)}] with its padding. ` +
            `Found windows of [${String(lengths)}], which lead to an output of [${String(shape)}].`,
        );
      }
      if (util.sizeFromShape([...shape]) > 0) return null;
      const empty = Array.from({ length: outputs }, (_, output) =>
        zeros([...shape], output === 0 ? x!.dtype : 'int32'),
      );
      return outputs === 1 ? empty[0]! : empty;
    },
  };
}

function refuseUnlessPositive(kernel: string, what: string, lengths: unknown): void {
  const list = [lengths].flat();
  if (list.every((length) => Number.isInteger(length) && (length as number) >= 1)) return;
  throw new MultigradError(
    'invalid-argument',
    `Kernel ${kernel} should get ${what} of integers from 1. Found [${String(list)}].`,
  );
}
