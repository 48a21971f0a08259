import { expectConstantMemory, testedBackends } from '@multigrad/test-support';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { useBackend } from '../use-backend.ts';

interface Case {
  readonly batchA: readonly number[];
  readonly batchB: readonly number[];
  readonly sides: readonly [number, number, number];
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}

const batchAxis = fc.constantFrom([1, 1], [1, 3], [3, 1], [2, 2]);
// The larger ones make several blocks, panels and pieces of work.
const side = fc.oneof(fc.integer({ min: 0, max: 6 }), fc.integer({ min: 7, max: 40 }));
const cases: fc.Arbitrary<Case> = fc.array(batchAxis, { maxLength: 2 }).chain((axes) =>
  fc.record({
    batchA: fc.constant(axes.map(([a]) => a!)),
    batchB: fc.constant(axes.map(([, b]) => b!)),
    sides: fc.tuple(side, side, side),
    transposeA: fc.boolean(),
    transposeB: fc.boolean(),
  }),
);

/** What TensorFlow 2.21 writes beyond its memory for. */
const repeated: Case = {
  batchA: [3, 1],
  batchB: [1, 1],
  sides: [6, 2, 1],
  transposeA: false,
  transposeB: false,
};

/** Small integers, which float32 holds exactly. */
function integers(shape: readonly number[], dtype: 'int32' | 'float32', seed: number): tf.Tensor {
  const size = tf.util.sizeFromShape([...shape]);
  const values = Array.from({ length: size }, (_, i) => ((i * 7 + seed * 5) % 13) - 6);
  return tf.tensor(values, [...shape], dtype);
}

/** The definition, number by number. */
function reference(given: Case, a: ArrayLike<number>, b: ArrayLike<number>): number[] {
  const [m, k, n] = given.sides;
  const outer = given.batchA.map((length, axis) => Math.max(length, given.batchB[axis]!));
  const values: number[] = [];
  for (let batch = 0; batch < tf.util.sizeFromShape(outer); batch += 1) {
    const at = outer.map(
      (length, axis) => Math.floor(batch / tf.util.sizeFromShape(outer.slice(axis + 1))) % length,
    );
    const matrixOf = (lengths: readonly number[]): number =>
      lengths.reduce((index, length, axis) => index * length + (length === 1 ? 0 : at[axis]!), 0);
    const [fromA, fromB] = [matrixOf(given.batchA) * m * k, matrixOf(given.batchB) * k * n];
    for (let row = 0; row < m; row += 1) {
      for (let column = 0; column < n; column += 1) {
        let sum = 0;
        for (let i = 0; i < k; i += 1) {
          const left = a[fromA + (given.transposeA ? i * m + row : row * k + i)]!;
          const right = b[fromB + (given.transposeB ? column * k + i : i * n + column)]!;
          sum += left * right;
        }
        values.push(sum);
      }
    }
  }
  return values;
}

describe.each(testedBackends())('tf.matMul on %s', (backend) => {
  beforeAll(async () => {
    await useBackend(backend);
  });

  it('is its definition where the inner side is cut into slices, with a bias and a ReLU too', () => {
    for (const k of [255, 256, 257, 600]) {
      for (const [transposeA, transposeB] of [
        [false, false],
        [true, false],
        [false, true],
        [true, true],
      ] as const) {
        tf.tidy(() => {
          const [m, n] = [21, 11];
          const given = {
            batchA: [],
            batchB: [],
            sides: [m, k, n],
            transposeA,
            transposeB,
          } as const;
          const a = integers(transposeA ? [k, m] : [m, k], 'float32', 1) as tf.Tensor2D;
          const b = integers(transposeB ? [n, k] : [k, n], 'float32', 2) as tf.Tensor2D;
          const wanted = reference(given, a.dataSync(), b.dataSync());
          const found = tf.matMul(a, b, transposeA, transposeB).dataSync();
          expect([...found].map((value) => value + 0)).toEqual(wanted.map((value) => value + 0));
          const bias = integers([n], 'float32', 3);
          const shifts = bias.dataSync();
          const fused = tf.fused.matMul({ a, b, transposeA, transposeB, bias, activation: 'relu' });
          const positive = wanted.map((value, i) => Math.max(0, value + shifts[i % n]!));
          expect([...fused.dataSync()].map((value) => value + 0)).toEqual(positive);
        });
      }
    }
  });

  it.each(['float32', 'int32'] as const)(
    'is its definition for batches broadcast along any axes, transposed, empty, of %s',
    async (dtype) => {
      await expectConstantMemory(() => {
        fc.assert(
          fc.property(cases, (given) => {
            tf.tidy(() => {
              const { batchA, batchB, sides, transposeA, transposeB } = given;
              const [m, k, n] = sides;
              const a = integers([...batchA, ...(transposeA ? [k, m] : [m, k])], dtype, 1);
              const b = integers([...batchB, ...(transposeB ? [n, k] : [k, n])], dtype, 2);
              const found = tf.matMul(a, b, transposeA, transposeB);
              expect(found.dtype).toBe(dtype);
              expect([...found.dataSync()].map((value) => value + 0)).toEqual(
                reference(given, a.dataSync(), b.dataSync()).map((value) => value + 0),
              );
            });
          }),
          { numRuns: 200, examples: [[repeated]] },
        );
      });
    },
  );

  it.each(['linear', 'relu'] as const)(
    'adds a bias for each column to a product, then applies %s, as the definition does',
    async (activation) => {
      const matrices = fc.record({
        sides: fc.tuple(side, side, side),
        transposeA: fc.boolean(),
        transposeB: fc.boolean(),
        biased: fc.boolean(),
      });
      await expectConstantMemory(() => {
        fc.assert(
          fc.property(matrices, ({ biased, ...given }) => {
            const [m, k, n] = given.sides;
            if (m * k * n === 0) return;
            tf.tidy(() => {
              const a = integers(given.transposeA ? [k, m] : [m, k], 'float32', 1);
              const b = integers(given.transposeB ? [n, k] : [k, n], 'float32', 2);
              const bias = integers([n], 'float32', 3);
              const { transposeA, transposeB } = given;
              const found = tf.fused.matMul({
                a: a as tf.Tensor2D,
                b: b as tf.Tensor2D,
                transposeA,
                transposeB,
                activation,
                ...(biased ? { bias } : {}),
              });
              const added = bias.dataSync();
              const products = reference(
                { ...given, batchA: [], batchB: [] },
                a.dataSync(),
                b.dataSync(),
              );
              const expected = products.map((product, i) => {
                const sum = product + (biased ? added[i % n]! : 0);
                return activation === 'relu' ? Math.max(0, sum) : sum;
              });
              expect([...found.dataSync()].map((value) => value + 0)).toEqual(
                expected.map((value) => value + 0),
              );
            });
          }),
          { numRuns: 100 },
        );
      });
    },
  );

  it('passes NaN through a ReLU of a product', () => {
    tf.tidy(() => {
      const a = tf.tensor2d([[NaN, 1]]);
      for (const columns of [1, 5]) {
        const found = tf.fused.matMul({ a, b: tf.ones([2, columns]), activation: 'relu' });
        expect([...found.dataSync()]).toEqual(Array.from({ length: columns }, () => NaN));
      }
    });
  });

  it('adds a bias to a product of integers', async () => {
    await expectConstantMemory(() => {
      tf.tidy(() => {
        const a = tf.tensor2d([[1, 2]], [1, 2], 'int32');
        const bias = tf.tensor1d([10], 'int32');
        const product = tf.fused.matMul({ a, b: tf.transpose(a), bias });
        expect(product.dtype).toBe('int32');
        expect(product.arraySync()).toEqual([[15]]);
      });
    });
  });
});
