import * as tf from '@tensorflow/tfjs-core';
import type { OddOperation } from './odd-call.ts';
import { type Draw } from './odd-call.ts';
import { integers } from '../operations/operation-case.ts';

type Pad = 'valid' | 'same' | number | tf.backend_util.ExplicitPadding;

function drawPad(draw: Draw): Pad {
  const kind = draw.integer(0, 5);
  if (kind < 2) return 'valid';
  if (kind < 4) return 'same';
  if (kind === 4) return draw.integer(draw.chance(0.1) ? -2 : 0, 3);
  const some = (): [number, number] => [draw.integer(0, 2), draw.integer(0, 2)];
  return [[0, 0], some(), some(), [0, 0]];
}

function pair(draw: Draw, low: number, high: number): [number, number] {
  const one = (): number =>
    draw.chance(0.04) ? draw.integer(-1, high + 3) : draw.integer(low, high);
  const first = one();
  return [first, draw.chance(0.5) ? first : one()];
}

/** The shape of an image. It is large now and then, so that kernels enter their loops over blocks. */
function image(draw: Draw): number[] {
  const side = draw.chance(0.2) ? 9 : 5;
  return [
    draw.integer(1, 2),
    draw.integer(1, side),
    draw.integer(1, side),
    draw.integer(1, draw.chance(0.2) ? 9 : 3),
  ];
}

const round = (draw: Draw, pad: Pad): 'floor' | 'round' | 'ceil' | undefined =>
  typeof pad === 'string' ? undefined : draw.choice([undefined, 'floor', 'round', 'ceil'] as const);

/** Operations that look at windows of an image, or make another image of it. */
export const windows: readonly OddOperation[] = [
  ...(['maxPool', 'avgPool'] as const).map((name): OddOperation => ({
    name,
    draw: (draw) => {
      const [filter, strides] = [pair(draw, 1, 4), pair(draw, 1, 3)];
      const drawn = drawPad(draw);
      // Padding by numbers is left out in two cases: for windows of one pixel, where cpu copies the image whatever the
      // padding, and for means, since a window in the padding alone has none.
      const isPlain = String(filter) === '1,1' || name === 'avgPool';
      const pad = isPlain && typeof drawn !== 'string' ? 'same' : drawn;
      const rounding = round(draw, pad);
      return {
        inputs: [draw.input(image(draw), draw.chance(0.1) ? 'int32' : 'float32')],
        arguments: { filter, strides, pad, rounding },
        run: (x) => tf[name](x as tf.Tensor4D, filter, strides, pad, rounding),
      };
    },
  })),
  {
    name: 'maxPoolWithArgmax',
    draw: (draw) => {
      const [filter, strides] = [pair(draw, 1, 4), pair(draw, 1, 3)];
      const pad = draw.choice(['valid', 'same'] as const);
      const inBatch = draw.chance(0.5);
      return {
        inputs: [draw.input(image(draw))],
        arguments: { filter, strides, pad, inBatch },
        run: (x) => {
          const { result, indexes } = tf.maxPoolWithArgmax(
            x as tf.Tensor4D,
            filter,
            strides,
            pad,
            inBatch,
          );
          return [result!, indexes!];
        },
      };
    },
  },
  {
    name: 'pool',
    draw: (draw) => {
      const type = draw.choice(['max', 'avg'] as const);
      const [window, dilations, strides] = [pair(draw, 1, 3), pair(draw, 1, 3), pair(draw, 1, 2)];
      const pad = draw.choice(['valid', 'same'] as const);
      return {
        inputs: [draw.input(image(draw))],
        arguments: { type, window, dilations, strides, pad },
        run: (x) => tf.pool(x as tf.Tensor4D, window, type, pad, dilations, strides),
      };
    },
  },
  ...(['maxPool3d', 'avgPool3d'] as const).map((name): OddOperation => ({
    name,
    draw: (draw) => {
      const [depth, ...plane] = image(draw);
      const filter = [...pair(draw, 1, 3), draw.integer(1, 3)] as [number, number, number];
      const strides = [...pair(draw, 1, 2), draw.integer(1, 2)] as [number, number, number];
      const pad = draw.choice(['valid', 'same'] as const);
      return {
        inputs: [draw.input([1, depth! + 1, ...plane])],
        arguments: { filter, strides, pad },
        run: (x) => tf[name](x as tf.Tensor5D, filter, strides, pad),
      };
    },
  })),
  {
    name: 'conv2d',
    draw: (draw) => {
      const shape = image(draw);
      const filter = [
        ...pair(draw, 1, 4).map(Math.abs),
        shape[3]! + (draw.chance(0.05) ? 1 : 0),
        draw.integer(1, 9),
      ];
      const [strides, pad] = [pair(draw, 1, 3), drawPad(draw)];
      const dilations = draw.chance(0.2) ? pair(draw, 1, 3) : 1;
      const rounding = round(draw, pad);
      return {
        inputs: [draw.input(shape, draw.chance(0.05) ? 'int32' : 'float32'), draw.input(filter)],
        arguments: { strides, pad, dilations, rounding },
        run: (x, f) =>
          tf.conv2d(x as tf.Tensor4D, f as tf.Tensor4D, strides, pad, 'NHWC', dilations, rounding),
      };
    },
  },
  {
    name: 'fused.conv2d',
    draw: (draw) => {
      const shape = image(draw);
      const channels = draw.integer(1, 9);
      const filter = [...pair(draw, 1, 4).map(Math.abs), shape[3]!, channels];
      const [strides, pad] = [pair(draw, 1, 3), drawPad(draw)];
      const bias = draw.choice([[channels], [1], []]);
      const activation = draw.choice([
        'linear',
        'relu',
        'relu6',
        'sigmoid',
        'elu',
        'leakyrelu',
      ] as const);
      return {
        inputs: [draw.input(shape), draw.input(filter), draw.input(bias)],
        arguments: { strides, pad, activation },
        run: (x, f, b) =>
          tf.fused.conv2d({
            x: x as tf.Tensor4D,
            filter: f as tf.Tensor4D,
            strides,
            pad,
            bias: b,
            activation,
          }),
      };
    },
  },
  {
    name: 'depthwiseConv2d',
    draw: (draw) => {
      const shape = image(draw);
      const filter = [
        ...pair(draw, 1, 4).map(Math.abs),
        shape[3]! + (draw.chance(0.05) ? 1 : 0),
        draw.integer(1, 3),
      ];
      const [strides, pad] = [pair(draw, 1, 3), drawPad(draw)];
      const dilations = String(strides) === '1,1' ? pair(draw, 1, 3) : 1;
      return {
        inputs: [draw.input(shape), draw.input(filter)],
        arguments: { strides, pad, dilations },
        run: (x, f) =>
          tf.depthwiseConv2d(x as tf.Tensor4D, f as tf.Tensor4D, strides, pad, 'NHWC', dilations),
      };
    },
  },
  {
    name: 'fused.depthwiseConv2d',
    draw: (draw) => {
      const shape = image(draw);
      const factor = draw.integer(1, 2);
      const filter = [...pair(draw, 1, 3).map(Math.abs), shape[3]!, factor];
      const [strides, pad] = [pair(draw, 1, 2), drawPad(draw)];
      const bias = draw.choice([[factor * shape[3]!], [1]]);
      return {
        inputs: [draw.input(shape), draw.input(filter), draw.input(bias)],
        arguments: { strides, pad },
        run: (x, f, b) =>
          tf.fused.depthwiseConv2d({
            x: x as tf.Tensor4D,
            filter: f as tf.Tensor4D,
            strides,
            pad: pad as 'same',
            bias: b,
            activation: 'relu',
          }),
      };
    },
  },
  {
    name: 'conv2dTranspose',
    draw: (draw) => {
      const shape = image(draw);
      const filter = [
        ...pair(draw, 1, 4).map((length) => Math.max(1, length)),
        draw.integer(1, 4),
        shape[3]! + (draw.chance(0.05) ? 1 : 0),
      ];
      const strides = pair(draw, 1, 3);
      const pad = draw.choice(['valid', 'same'] as const);
      const side = (axis: 0 | 1): number =>
        Math.max(
          0,
          pad === 'same'
            ? shape[axis + 1]! * strides[axis]
            : (shape[axis + 1]! - 1) * strides[axis] + filter[axis]!,
        ) + (draw.chance(0.2) ? draw.integer(-1, 1) : 0);
      const output = [shape[0]!, side(0), side(1), filter[2]!] as [number, number, number, number];
      return {
        inputs: [draw.input(shape), draw.input(filter)],
        arguments: { output, strides, pad },
        run: (x, f) => tf.conv2dTranspose(x as tf.Tensor4D, f as tf.Tensor4D, output, strides, pad),
      };
    },
  },
  {
    name: 'conv3d',
    draw: (draw) => {
      const [depth, ...plane] = image(draw);
      const filter = [
        ...pair(draw, 1, 3).map(Math.abs),
        draw.integer(1, 3),
        plane[2]!,
        draw.integer(1, 3),
      ];
      const strides = [...pair(draw, 1, 2), draw.integer(1, 2)] as [number, number, number];
      const pad = draw.choice(['valid', 'same'] as const);
      return {
        inputs: [draw.input([1, depth! + 1, ...plane]), draw.input(filter)],
        arguments: { strides, pad },
        run: (x, f) => tf.conv3d(x as tf.Tensor5D, f as tf.Tensor5D, strides, pad),
      };
    },
  },
  {
    name: 'dilation2d',
    draw: (draw) => {
      const shape = image(draw);
      const filter = [...pair(draw, 1, 3).map(Math.abs), shape[3]! + (draw.chance(0.05) ? 1 : 0)];
      const [strides, dilations] = [pair(draw, 1, 2), pair(draw, 1, 2)];
      // There is no padding, since a window in the padding alone has no maximum.
      const pad = 'valid';
      return {
        inputs: [draw.input(shape), draw.input(filter)],
        arguments: { strides, pad, dilations },
        run: (x, f) => tf.dilation2d(x as tf.Tensor4D, f as tf.Tensor3D, strides, pad, dilations),
      };
    },
  },
  ...(['resizeBilinear', 'resizeNearestNeighbor'] as const).map((name): OddOperation => ({
    name: `image.${name}`,
    draw: (draw) => {
      const size: [number, number] = [
        draw.integer(draw.chance(0.1) ? -1 : 1, 7),
        draw.integer(draw.chance(0.1) ? -1 : 1, 7),
      ];
      const [alignCorners, halfPixelCenters] = [draw.chance(0.4), draw.chance(0.4)];
      return {
        inputs: [draw.input(image(draw), draw.type(['float32', 'int32']))],
        arguments: { size, alignCorners, halfPixelCenters },
        run: (x) => tf.image[name](x as tf.Tensor4D, size, alignCorners, halfPixelCenters),
      };
    },
  })),
  {
    name: 'image.cropAndResize',
    draw: (draw) => {
      const shape = image(draw);
      const boxes = draw.integer(0, 3);
      const edge = (): number =>
        draw.chance(0.05) ? draw.choice([-3, 100]) : draw.integer(-2, 6) / 4;
      // Sizes whose positions are equal in float32 and float64. Other positions may fall on either side of an edge.
      const size: [number, number] = [
        draw.chance(0.1) ? 0 : draw.choice([1, 2, 3, 5]),
        draw.choice([1, 2, 3, 5]),
      ];
      const method = draw.choice(['bilinear', 'nearest'] as const);
      const outside = draw.integer(0, 3);
      return {
        inputs: [
          draw.input(shape, draw.chance(0.1) ? 'int32' : 'float32'),
          { shape: [boxes, 4], dtype: 'float32', values: draw.list(4 * boxes, edge) },
          integers(
            [boxes],
            draw.list(boxes, () => draw.index(shape[0]!)),
          ),
        ],
        arguments: { size, method, outside },
        run: (x, at, which) =>
          tf.image.cropAndResize(
            x as tf.Tensor4D,
            at as tf.Tensor2D,
            which as tf.Tensor1D,
            size,
            method,
            outside,
          ),
      };
    },
  },
  {
    name: 'image.nonMaxSuppression',
    draw: (draw) => {
      const boxes = draw.integer(0, 6);
      const edges = draw.list(4 * boxes, () => draw.integer(-4, 8) / 4);
      const most = draw.integer(0, 8);
      const [overlap, score] = [draw.integer(0, 4) / 4, draw.integer(-2, 2) / 2];
      return {
        inputs: [
          { shape: [boxes, 4], dtype: 'float32', values: edges },
          draw.input([draw.chance(0.05) ? boxes + 1 : boxes]),
        ],
        arguments: { most, overlap, score },
        run: (at, scores) =>
          tf.image.nonMaxSuppression(
            at as tf.Tensor2D,
            scores as tf.Tensor1D,
            most,
            overlap,
            score,
          ),
      };
    },
  },
  {
    name: 'localResponseNormalization',
    draw: (draw) => {
      const radius = draw.integer(draw.chance(0.1) ? -1 : 0, 5);
      return {
        inputs: [draw.input(image(draw))],
        arguments: { radius },
        run: (x) => tf.localResponseNormalization(x as tf.Tensor4D, radius, 1, 0.5, 0.75),
      };
    },
  },
];
