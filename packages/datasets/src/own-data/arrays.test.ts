import { expectConstantMemory } from '@multigrad/test-support';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { classesFrom } from './classes-from.ts';
import { gatherNumbers } from './column.ts';
import { numbersFrom } from './numbers-from.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

describe('numbersFrom', () => {
  it.each([
    [[1, 2, 3], [1]],
    [
      [
        [1, 2],
        [3, 4],
        [5, 6],
      ],
      [2],
    ],
    [
      [
        [[1], [2]],
        [[3], [4]],
        [[5], [6]],
      ],
      [2, 1],
    ],
    [
      [[[[1, 2]]], [[[3, 4]]], [[[5, 6]]]],
      [1, 1, 2],
    ],
  ])('takes nested arrays: %j', (values, shape) => {
    const column = numbersFrom(values as number[]);
    expect(column).toMatchObject({ shape, count: 3 });
    expect([...column.values]).toEqual(values.flat(4));
  });

  it('takes typed arrays, with bytes as they are', () => {
    const bytes = numbersFrom(Uint8Array.of(0, 128, 255, 3), [2, 1]);
    expect(bytes).toMatchObject({ shape: [2, 1], count: 2 });
    expect(bytes.values).toBeInstanceOf(Uint8Array);
    expect([...gatherNumbers(bytes, Int32Array.of(1, 0))]).toEqual([255, 3, 0, 128]);
    expect([...numbersFrom(Float64Array.of(0.5, NaN)).values]).toEqual([0.5, NaN]);
    expect([
      ...numbersFrom([Float32Array.of(1, 2), [3, 4]] as unknown as number[][]).values,
    ]).toEqual([1, 2, 3, 4]);
  });

  it('takes tensors, which stay the caller’s', async () => {
    await expectConstantMemory(() => {
      const tensor = tf.tensor3d([
        [[1], [2]],
        [[3], [4]],
      ]);
      const column = numbersFrom(tensor);
      tensor.dispose();
      expect(column).toMatchObject({ shape: [2, 1], count: 2 });
      expect([...column.values]).toEqual([1, 2, 3, 4]);
      const labels = tf.tensor1d([1, 0, 1], 'int32');
      expect([...classesFrom(labels).labels]).toEqual([1, 0, 1]);
      expect(numbersFrom(labels).shape).toEqual([1]);
      labels.dispose();
    });
  });

  it.each([
    [[[1, 2], [3]], 'Found an array of length 1 at [1], expected 2 entries'],
    [[[1], ['a']], 'Found "a" at [1][0], expected a number'],
    [[1, [2]], 'Found an array of length 1 at [1], expected a number'],
    [[1, 1e39], 'Found 1e+39 of sample 1'],
    [
      [
        [1, 2],
        [3, Infinity],
      ],
      'Found Infinity of sample 1',
    ],
    ['text', 'Found "text"'],
  ])('refuses %j', (values, message) => {
    expect(() => numbersFrom(values as number[])).toThrow(message);
  });

  it('refuses shapes that do not divide an array', () => {
    expect(() => numbersFrom(new Float32Array(10), [3])).toThrow('Found [3]');
    expect(() => numbersFrom(new Float32Array(10), [0])).toThrow('Found [0]');
    const scalar = tf.scalar(1);
    expect(() => numbersFrom(scalar)).toThrow('Found a scalar');
    scalar.dispose();
  });
});

describe('classesFrom', () => {
  it('takes words and numbers', () => {
    expect(classesFrom([3, '3', null, NaN, 20])).toMatchObject({ names: ['3', '20'], count: 5 });
    expect([...classesFrom([3, '3', null, NaN, 20]).labels]).toEqual([0, 0, -1, -1, 1]);
    expect([...classesFrom(Uint8Array.of(4, 2), [4, 3, 2]).labels]).toEqual([0, 2]);
  });

  it.each([
    [['a', 'b', 'c'], ['a', 'b'], 'sample 2: expected one of the classes a, b. Found "c".'],
    [['a', {}], undefined, 'Found an empty object of sample 1'],
    [['a', 'a'], undefined, 'Expected at least two classes'],
    [['a', 'b'], ['a', 'b', 'a'], 'each once'],
    [[1, Infinity], undefined, 'Found Infinity of sample 1'],
  ])('refuses %j as %j', (values, names, message) => {
    expect(() => classesFrom(values as string[], names)).toThrow(message);
  });
});
