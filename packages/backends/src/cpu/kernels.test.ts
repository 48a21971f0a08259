import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers';
import { expectConstantMemory } from '@multigrad/test-support';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { normal } from '../testing/seeded-tensors.ts';
import { installCpuKernels } from './install.ts';

type Pad = 'same' | 'valid';

const geometries = fc
  .record({
    height: fc.integer({ min: 1, max: 8 }),
    width: fc.integer({ min: 1, max: 8 }),
    channels: fc.integer({ min: 1, max: 4 }),
    outputs: fc.integer({ min: 1, max: 4 }),
    kernel: fc.integer({ min: 1, max: 4 }),
    stride: fc.integer({ min: 1, max: 3 }),
    pad: fc.constantFrom<Pad>('same', 'valid'),
  })
  .filter(
    ({ height, width, kernel, pad }) => pad === 'same' || (height >= kernel && width >= kernel),
  );

type Geometry = typeof geometries extends fc.Arbitrary<infer G> ? G : never;

/** Input and filter gradients of a convolution on the cpu backend as it is registered at the moment. */
function gradients({
  height,
  width,
  channels,
  outputs,
  kernel,
  stride,
  pad,
}: Geometry): Float32Array[] {
  return tf.tidy(() => {
    const x = normal([2, height, width, channels], 1);
    const filter = normal([kernel, kernel, channels, outputs], 2);
    const convolve = (a: tf.Tensor, b: tf.Tensor): tf.Tensor =>
      tf.conv2d(a as tf.Tensor4D, b as tf.Tensor4D, stride, pad);
    const weights = normal(convolve(x, filter).shape, 3);
    return tf
      .grads((a, b) => tf.sum(tf.mul(convolve(a!, b!), weights)))([x, filter])
      .map((gradient) => gradient.dataSync<'float32'>().slice());
  });
}

describe('convolution gradients on cpu', () => {
  const cases = fc.sample(geometries, { numRuns: 60, seed: 4 });
  let stock: Float32Array[][];

  beforeAll(async () => {
    await tf.setBackend('cpu');
    // Before ours take their place.
    stock = cases.map(gradients);
    installCpuKernels();
    installCpuKernels();
  });

  it('agree with the stock kernels on every geometry, and free what they make', async () => {
    await expectConstantMemory(() => {
      cases.forEach((geometry, index) => {
        gradients(geometry).forEach((found, which) => {
          const expected = stock[index]![which]!;
          const scale = Math.max(...expected.map(Math.abs));
          found.forEach((value, i) => {
            expect(Math.abs(value - expected[i]!), JSON.stringify(geometry)).toBeLessThanOrEqual(
              1e-5 * scale,
            );
          });
        });
      });
    });
  });

  it('let NaN through a zero', () => {
    tf.tidy(() => {
      const f = (x: tf.Tensor): tf.Tensor =>
        tf.sum(
          tf.mul(tf.conv2d(x as tf.Tensor4D, tf.tensor4d([NaN], [1, 1, 1, 1]), 1, 'valid'), 0),
        );
      expect(
        tf
          .grad(f)(tf.ones([1, 1, 1, 1]))
          .dataSync()[0],
      ).toBeNaN();
    });
  });
});

describe('kernels for the engine on cpu', () => {
  beforeAll(async () => {
    await tf.setBackend('cpu');
    installCpuKernels();
  });

  const run = (name: string, rows: number[][], attributes = {}): number[] =>
    tf.tidy(() => {
      const inputs = Object.fromEntries(rows.map((row, k) => [`row${k}`, tf.tensor1d(row)]));
      return [...tf.engine().runKernel<tf.Tensor>(name, inputs, attributes).dataSync()];
    });

  it('compute inner products in float64, scaled by the largest magnitudes', () => {
    const [maxA, maxB, aa, aaLow, ab, abLow, bb, bbLow] = run('GramianOfRows', [
      [3e30, 4e30],
      [-1e-30, 2e-30],
    ]) as [number, number, number, number, number, number, number, number];
    const [a, b] = [
      Math.fround(3e30) / Math.fround(4e30),
      Math.fround(-1e-30) / Math.fround(2e-30),
    ];
    expect([maxA, maxB]).toEqual([Math.fround(4e30), Math.fround(2e-30)]);
    expect(aa + aaLow).toBeCloseTo(a * a + 1, 12);
    expect(ab + abLow).toBeCloseTo(a * b + 1, 12);
    expect(bb + bbLow).toBeCloseTo(b * b + 1, 12);
  });

  it('mark rows that are not finite, and only those', () => {
    const packed = run('GramianOfRows', [
      [1, NaN],
      [2, -Infinity],
      [0, 0],
      [3, 4],
    ]);
    expect(packed.slice(0, 4)).toEqual([NaN, Infinity, 0, 4]);
  });

  it('combine rows', () => {
    expect(
      run(
        'CombineRows',
        [
          [1, 2],
          [3, 4],
          [0, 1],
        ],
        { weights: [2, -1, 0.5] },
      ),
    ).toEqual([-1, 0.5]);
  });
});
