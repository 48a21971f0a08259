import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers';
import { expectConstantMemory } from '@multigrad/test-support';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { relativeDifference } from './compare-backends.ts';
import {
  convolutionGeometries,
  convolutionInfo,
  depthwiseInfo,
  poolingInfo,
} from './geometries.ts';
import * as reference from './reference.ts';
import { normalValues } from './seeded-tensors.ts';

/** Stock cpu sums in float32 here and there. */
const tolerance = 1e-5;

// The stock kernels are slow: small ones only.
const geometries = convolutionGeometries.filter(
  ({ channels, outputs, kernel }) => channels * outputs * kernel[0] * kernel[1] <= 150,
);

const valuesOf = (shape: number[], seed: number): Float32Array =>
  normalValues(tf.util.sizeFromShape(shape), seed);

async function expectClose(
  compute: () => tf.Tensor[],
  expected: readonly Float64Array[],
): Promise<void> {
  const found = await expectConstantMemory(() =>
    tf.tidy(() => compute().map((tensor) => tensor.dataSync<'float32'>().slice())),
  );
  expect(found.length).toBe(expected.length);
  found.forEach((values, k) => {
    expect(relativeDifference(values, expected[k]!), `result ${k}`).toBeLessThanOrEqual(tolerance);
  });
}

/** The value, then the gradients of `Σ dy · value`. */
function valueAndGradients(
  f: (...inputs: tf.Tensor[]) => tf.Tensor,
  dy: Float32Array,
  inputs: tf.Tensor[],
): tf.Tensor[] {
  const value = f(...inputs);
  const weights = tf.tensor(dy, value.shape);
  return [value, ...tf.grads((...xs) => tf.sum(tf.mul(f(...xs), weights)))(inputs)];
}

describe('float64 references agree with stock cpu', () => {
  beforeAll(async () => {
    await tf.setBackend('cpu');
  });

  it('convolution and its gradients', async () => {
    await fc.assert(
      fc.asyncProperty(geometries, async (geometry) => {
        const info = convolutionInfo(geometry);
        const { inShape, filterShape, outShape } = info;
        const [x, filter, dy] = [
          valuesOf(inShape, 1),
          valuesOf(filterShape, 2),
          valuesOf(outShape, 3),
        ];
        await expectClose(
          () =>
            valueAndGradients(
              (a, b) =>
                tf.conv2d(a as tf.Tensor4D, b as tf.Tensor4D, geometry.strides, geometry.pad),
              dy,
              [tf.tensor(x, inShape), tf.tensor(filter, filterShape)],
            ),
          [
            reference.convolution(x, filter, info),
            reference.convolutionInputGradient(dy, filter, info),
            reference.convolutionFilterGradient(x, dy, info),
          ],
        );
      }),
      { numRuns: 40 },
    );
  });

  it('depthwise convolution and its gradients', async () => {
    await fc.assert(
      fc.asyncProperty(geometries, async (geometry) => {
        const info = depthwiseInfo(geometry);
        const { inShape, outShape } = info;
        const filterShape = [...geometry.kernel, geometry.channels, geometry.outputs];
        const [x, filter, dy] = [
          valuesOf(inShape, 1),
          valuesOf(filterShape, 2),
          valuesOf(outShape, 3),
        ];
        await expectClose(
          () =>
            valueAndGradients(
              (a, b) =>
                tf.depthwiseConv2d(
                  a as tf.Tensor4D,
                  b as tf.Tensor4D,
                  geometry.strides,
                  geometry.pad as 'same',
                ),
              dy,
              [tf.tensor(x, inShape), tf.tensor(filter, filterShape)],
            ),
          [
            reference.depthwiseConvolution(x, filter, info),
            reference.depthwiseInputGradient(dy, filter, info),
            reference.depthwiseFilterGradient(x, dy, info),
          ],
        );
      }),
      { numRuns: 25 },
    );
  });

  it('max-pool gradient, ties and windows without a positive number included', async () => {
    const pools = geometries.filter(({ pad }) => typeof pad === 'string');
    await fc.assert(
      fc.asyncProperty(pools, fc.integer({ min: -4, max: 1 }), async (geometry, shift) => {
        const info = poolingInfo(geometry);
        // Whole numbers: many ties.
        const x = valuesOf(info.inShape, 1).map((value) => Math.round(value) + shift);
        const dy = valuesOf(info.outShape, 2);
        const { kernel, strides, pad } = geometry;
        const pool = (a: tf.Tensor): tf.Tensor =>
          tf.maxPool(a as tf.Tensor4D, kernel, strides, pad as 'same');
        await expectClose(
          () => valueAndGradients(pool, dy, [tf.tensor(x, info.inShape)]).slice(1),
          [reference.maxPoolGradient(x, dy, info)],
        );
      }),
      { numRuns: 40 },
    );
  });

  it('matrix products with transposes', async () => {
    const sizes = fc.record({
      batch: fc.integer({ min: 1, max: 3 }),
      rows: fc.integer({ min: 1, max: 9 }),
      inner: fc.integer({ min: 1, max: 60 }),
      columns: fc.integer({ min: 1, max: 9 }),
      transposeA: fc.boolean(),
      transposeB: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(sizes, async (product) => {
        const { batch, rows, inner, columns, transposeA, transposeB } = product;
        const shapeA = [batch, ...(transposeA ? [inner, rows] : [rows, inner])];
        const shapeB = [batch, ...(transposeB ? [columns, inner] : [inner, columns])];
        const [a, b] = [valuesOf(shapeA, 1), valuesOf(shapeB, 2)];
        await expectClose(
          () => [tf.matMul(tf.tensor(a, shapeA), tf.tensor(b, shapeB), transposeA, transposeB)],
          [reference.matrixProduct(a, b, product)],
        );
      }),
      { numRuns: 60 },
    );
  });

  it('segment sums, ids out of range included', async () => {
    const ids = fc.array(fc.integer({ min: -1, max: 6 }), { minLength: 1, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(ids, fc.integer({ min: 1, max: 5 }), async (segments, width) => {
        const x = normalValues(segments.length * width, 1);
        await expectClose(
          () => [
            tf.unsortedSegmentSum(
              tf.tensor2d(x, [segments.length, width]),
              tf.tensor1d(segments, 'int32'),
              5,
            ),
          ],
          [reference.segmentSum(x, segments, 5)],
        );
      }),
      { numRuns: 30 },
    );
  });
});

describe('relative difference', () => {
  it('is taken against the largest magnitude expected', () => {
    expect(relativeDifference([1, 4.5], [1, -5])).toBe(9.5 / 5);
    expect(relativeDifference([], [])).toBe(0);
    expect(relativeDifference([0, -0], [0, 0])).toBe(0);
    expect(relativeDifference([1e-9], [0])).toBe(Infinity);
  });

  it('wants NaN and infinities where they belong', () => {
    expect(relativeDifference([NaN, Infinity, 2], [NaN, Infinity, 2])).toBe(0);
    expect(relativeDifference([NaN, 3], [NaN, 2])).toBe(0.5);
    for (const [found, expected] of [
      [NaN, 1],
      [1, NaN],
      [Infinity, 1],
      [1, Infinity],
      [-Infinity, Infinity],
      [NaN, Infinity],
    ] as const) {
      expect(relativeDifference([found, 1], [expected, 1])).toBe(Infinity);
    }
    expect(() => relativeDifference([1], [1, 2])).toThrow('should be 2. Found 1.');
  });
});
