import { expectConstantMemory } from '@multigrad/test-support';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  expectSameAsStockCpu,
  startWasm,
  valueAndGradients,
} from '../testing/against-stock-cpu.ts';
import { normal } from '../testing/seeded-tensors.ts';

type Pad = 'same' | 'valid' | number | [[0, 0], [number, number], [number, number], [0, 0]];

interface Geometry {
  readonly batch: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly outputs: number;
  readonly kernel: [number, number];
  readonly strides: [number, number];
  readonly pad: Pad;
}

function convolve({
  batch,
  height,
  width,
  channels,
  outputs,
  kernel,
  strides,
  pad,
}: Geometry): tf.Tensor[] {
  return valueAndGradients(
    (x, filter) => tf.conv2d(x as tf.Tensor4D, filter as tf.Tensor4D, strides, pad as 'same'),
    normal([batch, height, width, channels], 1),
    normal([...kernel, channels, outputs], 2),
  );
}

const geometries: fc.Arbitrary<Geometry> = fc
  .record({
    batch: fc.integer({ min: 1, max: 3 }),
    height: fc.integer({ min: 1, max: 13 }),
    width: fc.integer({ min: 1, max: 13 }),
    channels: fc.constantFrom(1, 2, 3, 4, 5, 7, 8, 9, 16),
    outputs: fc.constantFrom(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 16, 17, 20),
    kernel: fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 })),
    strides: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
    pad: fc.oneof(
      fc.constantFrom<Pad>('same', 'valid'),
      fc
        .tuple(fc.nat(2), fc.nat(2), fc.nat(2), fc.nat(2))
        .map(([top, bottom, left, right]): Pad => [
          [0, 0],
          [top, bottom],
          [left, right],
          [0, 0],
        ]),
    ),
  })
  .filter(({ height, width, kernel, pad }) => {
    const [rows, columns] = Array.isArray(pad)
      ? [pad[1][0] + pad[1][1], pad[2][0] + pad[2][1]]
      : [0, 0];
    return pad === 'same' || (height + rows >= kernel[0] && width + columns >= kernel[1]);
  });

describe('convolution on wasm', () => {
  beforeAll(startWasm);

  it('agrees with stock cpu on any geometry: value, input gradient, filter gradient', async () => {
    await fc.assert(
      fc.asyncProperty(geometries, async (geometry) => {
        await expectSameAsStockCpu(() => convolve(geometry));
      }),
      { numRuns: 120 },
    );
  });

  it.each<[string, Geometry]>([
    [
      'the first layer of the digit encoder',
      {
        batch: 4,
        height: 28,
        width: 28,
        channels: 3,
        outputs: 32,
        kernel: [5, 5],
        strides: [1, 1],
        pad: 'same',
      },
    ],
    [
      'a strided layer',
      {
        batch: 4,
        height: 14,
        width: 14,
        channels: 32,
        outputs: 64,
        kernel: [3, 3],
        strides: [2, 2],
        pad: 'same',
      },
    ],
    [
      'a wide layer',
      {
        batch: 1,
        height: 5,
        width: 5,
        channels: 33,
        outputs: 65,
        kernel: [3, 3],
        strides: [1, 1],
        pad: 1,
      },
    ],
    [
      'a kernel smaller than its stride',
      {
        batch: 2,
        height: 7,
        width: 8,
        channels: 3,
        outputs: 5,
        kernel: [1, 1],
        strides: [3, 2],
        pad: 'valid',
      },
    ],
    [
      'a kernel larger than its input',
      {
        batch: 2,
        height: 2,
        width: 3,
        channels: 2,
        outputs: 4,
        kernel: [5, 4],
        strides: [1, 1],
        pad: 'same',
      },
    ],
  ])('agrees on %s', async (_, geometry) => {
    await expectSameAsStockCpu(() => convolve(geometry));
  });

  it.each(['linear', 'relu', 'sigmoid'] as const)(
    'adds bias and %s on the way',
    async (activation) => {
      for (const biased of [false, true]) {
        await expectSameAsStockCpu(() => [
          tf.fused.conv2d({
            x: normal([2, 9, 8, 3], 1) as tf.Tensor4D,
            filter: normal([3, 3, 3, 7], 2) as tf.Tensor4D,
            strides: [2, 1],
            pad: 'same',
            activation,
            ...(biased && { bias: normal([7], 3) }),
          }),
        ]);
      }
    },
  );

  it('hands dilated convolutions on to the stock kernel', async () => {
    await expectSameAsStockCpu(() => [
      tf.conv2d(
        normal([2, 9, 9, 3], 1) as tf.Tensor4D,
        normal([3, 3, 3, 4], 2) as tf.Tensor4D,
        1,
        'same',
        'NHWC',
        2,
      ),
    ]);
  });

  it('leaves an output gradient larger than the output to the stock kernel', async () => {
    await expectSameAsStockCpu(() => [
      tf.conv2dTranspose(
        normal([1, 8, 7, 2], 1) as tf.Tensor4D,
        normal([3, 3, 4, 2], 2) as tf.Tensor4D,
        [1, 5, 4, 4],
        1,
        'same',
      ),
    ]);
  });

  it('multiplies no rows of zeros around an image', async () => {
    await tf.setBackend('wasm');
    tf.tidy(() => {
      // The windows of the first row of outputs begin in the row of zeros, which the infinite weights would turn to NaN.
      const weights = tf.concat([tf.fill([1, 3, 2, 12], Infinity), tf.ones([2, 3, 2, 12])]);
      const y = tf.conv2d(tf.ones<tf.Rank.R4>([2, 4, 16, 2]), weights as tf.Tensor4D, 1, 'same');
      const first = tf.slice(y, [0, 0, 1, 0], [2, 1, 14, 12]).dataSync();
      expect([...new Set(first)]).toEqual([12]);
      const rest = tf.slice(y, [0, 1, 1, 0], [2, 3, 14, 12]).dataSync();
      expect([...new Set(rest)]).toEqual([Infinity]);
    });
  });

  it('lets NaN and infinity through', async () => {
    await tf.setBackend('wasm');
    tf.tidy(() => {
      const x = tf.tensor4d([1, NaN, 3, Infinity], [1, 4, 1, 1]);
      const values = [...tf.conv2d(x, tf.ones<tf.Rank.R4>([1, 1, 1, 1]), 1, 'valid').dataSync()];
      expect(values).toEqual([1, NaN, 3, Infinity]);
    });
  });
});

describe('depthwise convolution on wasm', () => {
  beforeAll(startWasm);

  it('has the gradients of stock cpu', async () => {
    const cases = fc.record({
      size: fc.tuple(fc.integer({ min: 3, max: 9 }), fc.integer({ min: 3, max: 9 })),
      channels: fc.integer({ min: 1, max: 5 }),
      multiplier: fc.integer({ min: 1, max: 3 }),
      kernel: fc.integer({ min: 1, max: 3 }),
      stride: fc.integer({ min: 1, max: 2 }),
      pad: fc.constantFrom('same' as const, 'valid' as const),
    });
    await fc.assert(
      fc.asyncProperty(cases, async ({ size, channels, multiplier, kernel, stride, pad }) => {
        await expectSameAsStockCpu(() =>
          valueAndGradients(
            (x, filter) => tf.depthwiseConv2d(x as tf.Tensor4D, filter as tf.Tensor4D, stride, pad),
            normal([2, ...size, channels], 1),
            normal([kernel, kernel, channels, multiplier], 2),
          ),
        );
      }),
      { numRuns: 40 },
    );
  });
});

describe('an output gradient of the wrong shape', () => {
  beforeAll(startWasm);

  const attributes = { strides: [1, 1], pad: 'valid' };
  const attributes3D = { strides: [1, 1, 1], pad: 'valid' };
  const pool = { filterSize: 3, strides: 1, pad: 'valid' };
  const image = [1, 5, 5, 2];
  const volume = [1, 5, 5, 5, 2];

  it.each<[string, Record<string, number[]>, tf.NamedAttrMap, string]>([
    [
      'Conv2DBackpropFilter',
      { x: image, dy: image },
      { ...attributes, filterShape: [3, 3, 2, 2] },
      '1, 3, 3, 2',
    ],
    [
      'Conv2DBackpropInput',
      { filter: [3, 3, 2, 2], dy: [1, 2, 3, 2] },
      { ...attributes, inputShape: image },
      '1, 3, 3, 2',
    ],
    [
      'DepthwiseConv2dNativeBackpropFilter',
      { x: image, dy: image },
      { ...attributes, filterShape: [3, 3, 2, 2] },
      '1, 3, 3, 4',
    ],
    [
      'DepthwiseConv2dNativeBackpropInput',
      { filter: [3, 3, 2, 2], dy: [1, 2, 3, 4] },
      { ...attributes, inputShape: image },
      '1, 3, 3, 4',
    ],
    [
      'Conv3DBackpropFilterV2',
      { x: volume, dy: volume },
      { ...attributes3D, filterShape: [3, 3, 3, 2, 2] },
      '1, 3, 3, 3, 2',
    ],
    [
      'Conv3DBackpropInputV2',
      { filter: [3, 3, 3, 2, 2], dy: [1, 2, 3, 3, 2] },
      { ...attributes3D, inputShape: volume },
      '1, 3, 3, 3, 2',
    ],
    ['MaxPoolGrad', { input: image, dy: [1, 1, 1, 2] }, pool, '1, 3, 3, 2'],
    ['MaxPool3DGrad', { input: volume, dy: [1, 1, 1, 1, 2] }, pool, '1, 3, 3, 3, 2'],
  ])('is refused by %s', async (kernel, shapes, attrs, expected) => {
    await tf.setBackend('wasm');
    await expectConstantMemory(() =>
      tf.tidy(() => {
        const tensors = Object.fromEntries(
          Object.entries(shapes).map(([name, shape]) => [name, tf.ones(shape)]),
        );
        expect(() => {
          tf.engine().runKernel(kernel, tensors, attrs);
        }).toThrow(`Kernel ${kernel} should get \`dy\` as float32 of shape [${expected}]. Found`);
      }),
    );
  });
});
