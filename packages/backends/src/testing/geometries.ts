import { backend_util } from '@tensorflow/tfjs-core';
import fc from 'fast-check';

type Conv2DArguments = Parameters<typeof backend_util.computeConv2DInfo>;

/** Padding of a convolution; explicit paddings give top, bottom, left and right. */
export type Padding = 'same' | 'valid' | [[0, 0], [number, number], [number, number], [0, 0]];

/** The numbers that determine a convolution's shapes; NHWC. */
export interface ConvolutionGeometry {
  readonly batch: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  /** Output channels; for a depthwise convolution, outputs per input channel. */
  readonly outputs: number;
  readonly kernel: [number, number];
  readonly strides: [number, number];
  readonly pad: Padding;
}

const channels = fc.constantFrom(1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 33);
const pair = (min: number, max: number): fc.Arbitrary<[number, number]> =>
  fc.tuple(fc.integer({ min, max }), fc.integer({ min, max }));

const paddings: fc.Arbitrary<Padding> = fc.oneof(
  fc.constantFrom<Padding>('same', 'valid'),
  fc
    .tuple(pair(0, 3), pair(0, 3))
    .map(([rows, columns]): Padding => [[0, 0], rows, columns, [0, 0]]),
);

/** Geometries whose window fits into the padded input at least once. */
export const convolutionGeometries: fc.Arbitrary<ConvolutionGeometry> = fc
  .record({
    batch: fc.integer({ min: 1, max: 3 }),
    height: fc.integer({ min: 1, max: 14 }),
    width: fc.integer({ min: 1, max: 14 }),
    channels,
    outputs: channels,
    kernel: pair(1, 7),
    strides: pair(1, 3),
    pad: paddings,
  })
  .filter(({ height, width, kernel, pad }) => {
    const [rows, columns] = typeof pad === 'string' ? [0, 0] : [sum(pad[1]), sum(pad[2])];
    return pad === 'same' || (height + rows >= kernel[0] && width + columns >= kernel[1]);
  });

/** Shapes, strides and padding of the convolution, as TensorFlow.js computes them. */
export function convolutionInfo(geometry: ConvolutionGeometry): backend_util.Conv2DInfo {
  return infoOf(geometry, false);
}

/** Shapes, strides and padding of the depthwise convolution; `outputs` is the channel multiplier. */
export function depthwiseInfo(geometry: ConvolutionGeometry): backend_util.Conv2DInfo {
  return infoOf(geometry, true);
}

/** Shapes, strides and padding of a pooling with windows of the size `kernel`. */
export function poolingInfo(geometry: ConvolutionGeometry): backend_util.Conv2DInfo {
  const { batch, height, width, channels: depth, kernel, strides, pad } = geometry;
  return backend_util.computePool2DInfo([batch, height, width, depth], kernel, strides, 1, pad);
}

function infoOf(geometry: ConvolutionGeometry, depthwise: boolean): backend_util.Conv2DInfo {
  const { batch, height, width, channels: depth, outputs, kernel, strides, pad } = geometry;
  const filter: Conv2DArguments[1] = [...kernel, depth, outputs];
  const input: Conv2DArguments[0] = [batch, height, width, depth];
  return backend_util.computeConv2DInfo(input, filter, strides, 1, pad, undefined, depthwise);
}

function sum([a, b]: readonly [number, number]): number {
  return a + b;
}
