import '@tensorflow/tfjs-backend-cpu';
import { expectConstantMemory } from '@multigrad/test-support';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { normalValues } from '../testing/seeded-tensors.ts';
import { installCpuKernels } from './install.ts';

function run(
  name: string,
  rows: readonly ArrayLike<number>[],
  attributes: tf.NamedAttrMap = {},
  shape?: number[],
): Promise<{ values: number[]; shape: number[] }> {
  return expectConstantMemory(() =>
    tf.tidy(() => {
      const inputs = Object.fromEntries(
        rows.map((row, k) => [`row${k}`, tf.tensor(Float32Array.from(row), shape)]),
      );
      const result = tf.engine().runKernel<tf.Tensor>(name, inputs, attributes);
      expect(result.dtype).toBe('float32');
      return { values: [...result.dataSync<'float32'>()], shape: result.shape };
    }),
  );
}

beforeAll(async () => {
  await tf.setBackend('cpu');
  installCpuKernels();
});

describe('GramianOfRows on cpu', () => {
  it('gives magnitudes, then the scaled products pair by pair in two parts', async () => {
    const sizes = fc.record({ count: fc.integer({ min: 1, max: 5 }), size: fc.nat(40) });
    await fc.assert(
      fc.asyncProperty(sizes, fc.integer({ min: -30, max: 30 }), async ({ count, size }, power) => {
        const rows = Array.from({ length: count }, (_, k) =>
          normalValues(size, k + 1).map((value) => value * 10 ** (k % 2 === 0 ? power : -power)),
        );
        const { values, shape } = await run('GramianOfRows', rows);
        expect(shape).toEqual([count + count * (count + 1)]);
        const magnitudes = rows.map((row) =>
          row.reduce((most, value) => Math.max(most, Math.abs(value)), 0),
        );
        expect(values.slice(0, count)).toEqual(magnitudes);
        const pairs = rows.flatMap((row, i) =>
          rows.slice(i).flatMap((other, offset) => {
            const product = row.reduce((sum, value, n) => sum + value * other[n]!, 0);
            const quotient = size === 0 ? 0 : product / magnitudes[i]! / magnitudes[i + offset]!;
            const high = Math.fround(quotient);
            return [high, Math.fround(quotient - high)];
          }),
        );
        expect(values.slice(count)).toEqual(pairs);
      }),
    );
  });

  it('neither overflows nor vanishes at the ends of float32', async () => {
    const largest = (2 - 2 ** -23) * 2 ** 127;
    const { values } = await run('GramianOfRows', [
      [largest, largest],
      [2 ** -149, -(2 ** -149)],
    ]);
    expect(values).toEqual([largest, 2 ** -149, 2, 0, 0, 0, 2, 0]);
  });

  it('keeps more digits than float32 has', async () => {
    const { values } = await run('GramianOfRows', [[1, 2 ** -15]]);
    expect(values).toEqual([1, 1, 2 ** -30]);
  });

  it('gives exact zeros for rows of zeros', async () => {
    const { values } = await run('GramianOfRows', [
      [0, -0],
      [3, 4],
    ]);
    expect(values).toEqual([0, 4, 0, 0, 0, 0, 25 / 16, 0]);
  });

  it('marks rows that are not finite, and only those', async () => {
    const { values } = await run('GramianOfRows', [
      [1, NaN],
      [2, -Infinity],
      [Infinity, NaN],
      [NaN, Infinity],
      [0, 0],
      [3, 4],
    ]);
    expect(values.slice(0, 6)).toEqual([NaN, Infinity, NaN, NaN, 0, 4]);
    expect(values.slice(-2)).toEqual([25 / 16, 0]);
  });
});

describe('CombineRows on cpu', () => {
  it('sums in float64 and rounds once, in the shape of the first row', async () => {
    const weights = [0.1, -2.7, 1e3];
    const rows = [1, 2, 3].map((seed) => normalValues(6, seed));
    const { values, shape } = await run('CombineRows', rows, { weights }, [1, 2, 3]);
    expect(shape).toEqual([1, 2, 3]);
    const exact = [...rows[0]!.keys()].map((i) =>
      Math.fround(rows.reduce((sum, row, k) => sum + weights[k]! * row[i]!, 0)),
    );
    expect(values).toEqual(exact);
    // In float32 the small number would be lost beside 2²⁴.
    const cancelled = await run('CombineRows', [[2 ** 24], [1], [2 ** 24]], {
      weights: [1, 1, -1],
    });
    expect(cancelled.values).toEqual([1]);
  });

  it('lets NaN through a weight of zero', async () => {
    const { values } = await run(
      'CombineRows',
      [
        [NaN, 1],
        [2, Infinity],
      ],
      { weights: [0, 0] },
    );
    expect(values).toEqual([NaN, NaN]);
  });
});

describe('row kernels on cpu', () => {
  it('refuse rows of different sizes, other types, and weights that are not one a row', async () => {
    const attempt = (
      name: string,
      inputs: () => tf.NamedTensorMap,
      attributes = {},
    ): Promise<void> =>
      expectConstantMemory(() =>
        tf.tidy(() => void tf.engine().runKernel<tf.Tensor>(name, inputs(), attributes)),
      );
    for (const name of ['GramianOfRows', 'CombineRows']) {
      await expect(attempt(name, () => ({}))).rejects.toThrow(`${name} should get inputs row0`);
      await expect(
        attempt(name, () => ({ row0: tf.ones([2]), row1: tf.ones([3]) })),
      ).rejects.toThrow('row1 as float32 of 2 numbers, like row0. Found float32 of shape [3].');
      await expect(
        attempt(name, () => ({ row0: tf.ones([2]), row1: tf.ones([2], 'int32') })),
      ).rejects.toThrow('Found int32 of shape [2].');
      await expect(
        attempt(name, () => ({ row0: tf.ones([2]), other: tf.ones([2]) })),
      ).rejects.toThrow('Found no such input.');
    }
    await expect(
      attempt('CombineRows', () => ({ row0: tf.ones([2]) }), { weights: [1, 2] }),
    ).rejects.toThrow('Found 2 weights for 1 rows.');
  });
});
