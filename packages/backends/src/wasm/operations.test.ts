import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  expectSameAsStockCpu,
  startWasm,
  valueAndGradients,
} from '../testing/against-stock-cpu.ts';
import { normal } from '../testing/seeded-tensors.ts';

beforeAll(startWasm);

describe('max-pooling gradients on wasm', () => {
  it('agree with stock cpu, also where every value is negative', async () => {
    const cases = fc.record({
      shape: fc.tuple(
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 3, max: 9 }),
        fc.integer({ min: 3, max: 9 }),
        fc.integer({ min: 1, max: 9 }),
      ),
      window: fc.integer({ min: 1, max: 3 }),
      stride: fc.integer({ min: 1, max: 3 }),
      pad: fc.constantFrom('same' as const, 'valid' as const),
      shift: fc.constantFrom(-5, 0, 5),
    });
    await fc.assert(
      fc.asyncProperty(cases, async ({ shape, window, stride, pad, shift }) => {
        await expectSameAsStockCpu(() =>
          valueAndGradients(
            (x) => tf.maxPool(x as tf.Tensor4D, window, stride, pad),
            normal(shape, 1, shift),
          ),
        );
      }),
      { numRuns: 60 },
    );
  });

  it('agree with stock cpu where windows of 2 × 2 lie side by side, with rows and channels left over', async () => {
    const cases = fc.record({
      shape: fc.tuple(
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 2, max: 7 }),
        fc.integer({ min: 2, max: 7 }),
        fc.integer({ min: 1, max: 13 }),
      ),
      shift: fc.constantFrom(-5, 0, 5),
    });
    await fc.assert(
      fc.asyncProperty(cases, async ({ shape, shift }) => {
        await expectSameAsStockCpu(() =>
          valueAndGradients(
            (x) => tf.maxPool(x as tf.Tensor4D, 2, 2, 'valid'),
            normal(shape, 1, shift),
          ),
        );
      }),
      { numRuns: 40 },
    );
  });

  it('go to the first maximum of a tie', async () => {
    await expectSameAsStockCpu(() =>
      valueAndGradients((x) => tf.maxPool(x as tf.Tensor4D, 2, 2, 'valid'), tf.ones([1, 4, 4, 5])),
    );
  });
});

describe('max-pooling in three dimensions on wasm', () => {
  it('agrees with stock cpu, value and gradient, also where every value is negative', async () => {
    const cases = fc.record({
      shape: fc.tuple(
        fc.integer({ min: 1, max: 2 }),
        fc.integer({ min: 3, max: 5 }),
        fc.integer({ min: 3, max: 5 }),
        fc.integer({ min: 3, max: 5 }),
        fc.integer({ min: 1, max: 3 }),
      ),
      window: fc.integer({ min: 1, max: 3 }),
      stride: fc.integer({ min: 1, max: 2 }),
      pad: fc.constantFrom('same' as const, 'valid' as const),
      shift: fc.constantFrom(-5, 0, 5),
    });
    await fc.assert(
      fc.asyncProperty(cases, async ({ shape, window, stride, pad, shift }) => {
        await expectSameAsStockCpu(() =>
          valueAndGradients(
            (x) => tf.maxPool3d(x as tf.Tensor5D, window, stride, pad),
            normal(shape, 1, shift),
          ),
        );
      }),
      { numRuns: 30 },
    );
  });
});

describe('matrix products on wasm', () => {
  it('agree with stock cpu for every transposition, batched and broadcast', async () => {
    const cases = fc.record({
      sides: fc.tuple(
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 70 }),
        fc.integer({ min: 1, max: 40 }),
      ),
      transposeA: fc.boolean(),
      transposeB: fc.boolean(),
      batch: fc.constantFrom<[number[], number[]]>(
        [[], []],
        [[3], [3]],
        [
          [2, 2],
          [2, 2],
        ],
      ),
    });
    await fc.assert(
      fc.asyncProperty(cases, async ({ sides: [m, k, n], transposeA, transposeB, batch }) => {
        await expectSameAsStockCpu(() => [
          tf.matMul(
            normal([...batch[0], ...(transposeA ? [k, m] : [m, k])], 1),
            normal([...batch[1], ...(transposeB ? [n, k] : [k, n])], 2),
            transposeA,
            transposeB,
          ),
        ]);
      }),
      { numRuns: 60 },
    );
  });

  it('broadcast one matrix over a batch', async () => {
    await expectSameAsStockCpu(() => [
      tf.matMul(normal([3, 5, 7], 1), normal([1, 6, 7], 2), false, true),
      tf.matMul(normal([1, 7, 5], 1), normal([3, 7, 6], 2), true, false),
    ]);
  });

  it('have the gradients of stock cpu', async () => {
    await expectSameAsStockCpu(() =>
      valueAndGradients((a, b) => tf.matMul(a, b), normal([33, 65], 1), normal([65, 10], 2)),
    );
  });

  it.each(['linear', 'relu', 'relu6', 'elu', 'sigmoid', 'leakyrelu'] as const)(
    'are right when fused with a bias and %s, whatever the inner size',
    async (activation) => {
      await expectSameAsStockCpu(() =>
        [
          [false, false],
          [false, true],
          [true, false],
          [true, true],
        ].map(([transposeA, transposeB]) =>
          tf.fused.matMul({
            a: normal(transposeA ? [200, 30] : [30, 200], 1) as tf.Tensor2D,
            b: normal(transposeB ? [40, 200] : [200, 40], 2) as tf.Tensor2D,
            transposeA: transposeA!,
            transposeB: transposeB!,
            bias: normal([40], 3),
            activation,
            leakyreluAlpha: 0.1,
          }),
        ),
      );
    },
  );
});

describe('reductions on wasm', () => {
  it('agree with stock cpu on every set of axes', async () => {
    const cases = fc.record({
      shape: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 4 }),
      axes: fc.subarray([0, 1, 2, 3]),
      keepDims: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(cases, async ({ shape, axes, keepDims }) => {
        const valid = axes.filter((axis) => axis < shape.length);
        await expectSameAsStockCpu(() => [
          tf.sum(normal(shape, 1), valid, keepDims),
          tf.mean(normal(shape, 2), valid, keepDims),
          tf.sum(tf.cast(normal(shape, 3), 'int32'), valid, keepDims),
        ]);
      }),
      { numRuns: 80 },
    );
  });

  it('keep precision over a million numbers', async () => {
    await tf.setBackend('wasm');
    tf.tidy(() => {
      const many = tf.fill([1_000_003], 0.1);
      expect(tf.sum(many).dataSync()[0]! / (1_000_003 * Math.fround(0.1))).toBeCloseTo(1, 6);
      expect(
        tf.sum(tf.reshape(many, [1_000_003, 1]), 0).dataSync()[0]! / (1_000_003 * Math.fround(0.1)),
      ).toBeCloseTo(1, 6);
    });
  });
});

describe('other kernels on wasm', () => {
  it('give gather its gradient', async () => {
    await expectSameAsStockCpu(() =>
      valueAndGradients((w) => tf.gather(w, tf.tensor1d([0, 3, 3, 1], 'int32')), normal([5, 4], 1)),
    );
    await expectSameAsStockCpu(() => [
      tf.unsortedSegmentSum(normal([4, 3], 1), tf.tensor1d([2, 0, 2, 5], 'int32'), 6),
    ]);
  });

  it('share the values of an identity until one of the two is freed', async () => {
    await tf.setBackend('wasm');
    const x = tf.tensor1d([1, 2, 3]);
    const copy = tf.clone(x);
    const cast = tf.cast(x, 'float32');
    x.dispose();
    expect([...copy.dataSync()]).toEqual([1, 2, 3]);
    copy.dispose();
    expect([...cast.dataSync()]).toEqual([1, 2, 3]);
    cast.dispose();
  });
});

describe('kernels for the engine on wasm', () => {
  const gramian = (rows: tf.Tensor[]): Float32Array =>
    tf.tidy(() => {
      const inputs = Object.fromEntries(rows.map((row, k) => [`row${k}`, row]));
      return tf.engine().runKernel<tf.Tensor>('GramianOfRows', inputs).dataSync<'float32'>();
    });

  it('compute inner products to float64 precision at any float32 scale', async () => {
    await tf.setBackend('wasm');
    for (const [scaleA, scaleB] of [
      [1, 1],
      [1e-30, 1e30],
      [1e-37, 1e-37],
      [1e37, 1e37],
    ] as const) {
      for (const size of [1, 3, 8, 17, 2048, 5001]) {
        tf.tidy(() => {
          const [a, b] = [tf.mul(normal([size], 1), scaleA), tf.mul(normal([size], 2), scaleB)];
          const [x, y] = [a.dataSync<'float32'>(), b.dataSync<'float32'>()];
          const [maxA, maxB, ...pairs] = gramian([a, b]);
          expect(maxA).toBe(Math.max(...x.map(Math.abs)));
          expect(maxB).toBe(Math.max(...y.map(Math.abs)));
          const exact = [
            [x, x, maxA, maxA],
            [x, y, maxA, maxB],
            [y, y, maxB, maxB],
          ] as const;
          exact.forEach(([p, q, m, n], index) => {
            const inner = p.reduce((sum, value, i) => sum + (value / m!) * (q[i]! / n!), 0);
            const found = pairs[2 * index]! + pairs[2 * index + 1]!;
            expect(Math.abs(found - inner)).toBeLessThanOrEqual(1e-12 * size);
          });
        });
      }
    }
  });

  it('mark rows that are not finite, and only those', async () => {
    await tf.setBackend('wasm');
    tf.tidy(() => {
      const rows = [
        [1, NaN],
        [2, -Infinity],
        [0, 0],
        [3, 4],
      ].map((row) => tf.tensor1d(row));
      expect([...gramian(rows).slice(0, 4)]).toEqual([NaN, Infinity, 0, 4]);
    });
  });

  it('combine rows', async () => {
    await tf.setBackend('wasm');
    tf.tidy(() => {
      const rows = [normal([3, 7], 1), normal([3, 7], 2), normal([3, 7], 3)];
      const weights = [0.5, -2, 3];
      const inputs = Object.fromEntries(rows.map((row, k) => [`row${k}`, row]));
      const found = tf.engine().runKernel<tf.Tensor>('CombineRows', inputs, { weights });
      expect(found.shape).toEqual([3, 7]);
      const expected = tf.addN(rows.map((row, k) => tf.mul(row, weights[k]!)));
      found.dataSync().forEach((value, i) => expect(value).toBeCloseTo(expected.dataSync()[i]!, 5));
    });
  });
});
