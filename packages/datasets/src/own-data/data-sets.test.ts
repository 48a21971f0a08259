import { expectConstantMemory } from '@multigrad/test-support';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { classesFrom } from './classes-from.ts';
import { dataSets } from './data-sets.ts';
import { numbersFrom } from './numbers-from.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

/** All samples of a part, as plain numbers. */
async function valuesOf(
  part: {
    count: number;
    batch: (
      indices: Int32Array,
      context: { epoch: number },
    ) => tf.NamedTensorMap | Promise<tf.NamedTensorMap>;
  } | null,
): Promise<Record<string, readonly number[]>> {
  if (part === null) return {};
  const batch = await part.batch(
    Int32Array.from({ length: part.count }, (_, i) => i),
    { epoch: 0 },
  );
  const values = Object.entries(batch).map(([name, one]) => [name, [...one.dataSync()]] as const);
  tf.dispose(batch);
  return Object.fromEntries(values);
}

const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

describe('dataSets', () => {
  it('gives every sample to exactly one part, in numbers that are the shares', async () => {
    await expectConstantMemory(async () => {
      const arbitrary = fc.record({
        count: fc.integer({ min: 20, max: 60 }),
        validation: fc.constantFrom(0, 0.1, 0.25),
        test: fc.constantFrom(0.1, 0.3),
        seed: fc.nat(),
      });
      await fc.assert(
        fc.asyncProperty(arbitrary, async ({ count, ...options }) => {
          const data = dataSets({
            inputs: { x: numbersFrom(numbers(count)) },
            targets: { y: numbersFrom(numbers(count).map((i) => -i)) },
            ...options,
          });
          const parts = await Promise.all([data.train, data.validation, data.test].map(valuesOf));
          const seen = parts.flatMap(({ x = [] }) => x);
          expect([...seen].sort((a, b) => a - b)).toEqual(numbers(count));
          for (const { x = [], y = [] } of parts) expect(y).toEqual(x.map((i) => -i));
          expect(data.test.count).toBe(Math.round(count * options.test));
          expect(data.validation?.count ?? 0).toBe(Math.round(count * options.validation));
        }),
        { numRuns: 30 },
      );
    });
  });

  it('is the same for the same seed, and another for another one', async () => {
    const split = (seed: number) =>
      dataSets({
        inputs: { x: numbersFrom(numbers(50)) },
        targets: { y: numbersFrom(numbers(50)) },
        seed,
      });
    const [first, again, other] = await Promise.all(
      [1, 1, 2].map((seed) => valuesOf(split(seed).test)),
    );
    expect(again).toEqual(first);
    expect(other).not.toEqual(first);
  });

  it('gives each part its share of each class, and each class to training', async () => {
    const arbitrary = fc.record({
      sizes: fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 2, maxLength: 5 }),
      seed: fc.nat(),
    });
    await fc.assert(
      fc.asyncProperty(arbitrary, async ({ sizes, seed }) => {
        const labels = sizes.flatMap((size, label) =>
          new Array<string>(size).fill(`class ${label}`),
        );
        fc.pre(labels.length >= 20);
        const data = dataSets({
          inputs: { x: numbersFrom(numbers(labels.length)) },
          targets: { kind: classesFrom(labels) },
          seed,
        });
        const { kind: trained = [] } = await valuesOf(data.train);
        const { kind: tested = [] } = await valuesOf(data.test);
        sizes.forEach((size, label) => {
          const count = (all: readonly number[]): number =>
            all.filter((one) => one === label).length;
          expect(count(trained)).toBeGreaterThan(0);
          expect(Math.abs(count(trained) - 0.7 * size)).toBeLessThanOrEqual(2);
          expect(Math.abs(count(tested) - 0.15 * size)).toBeLessThanOrEqual(2);
        });
      }),
      { numRuns: 30 },
    );
  });

  it('keeps groups together, close to their shares', async () => {
    const groups = numbers(300).map((i) => `patient ${i % 60}`);
    const data = dataSets({
      inputs: { x: numbersFrom(numbers(300)) },
      targets: { y: numbersFrom(numbers(300)) },
      keepTogether: groups,
      seed: 3,
    });
    const parts = await Promise.all([data.train, data.validation, data.test].map(valuesOf));
    const groupsOf = parts.map(({ x = [] }) => new Set(x.map((i) => groups[i]!)));
    expect(groupsOf.reduce((sum, { size }) => sum + size, 0)).toBe(60);
    expect(data.test.count).toBe(45);
    expect(data.validation?.count).toBe(45);
  });

  it('standardises by the training samples alone, and leaves what is missing', async () => {
    // Test samples lie far away: had they been measured, training samples would not have mean 0.
    const parts = numbers(40).map((i) => (i < 30 ? ('train' as const) : ('test' as const)));
    const far = (i: number): number => (i < 30 ? i : 1e6);
    const data = dataSets({
      inputs: { x: numbersFrom(numbers(40).map((i) => [far(i), 5])) },
      targets: { y: numbersFrom(numbers(40).map((i) => (i % 10 === 0 ? NaN : 2 * far(i)))) },
      parts,
      validation: 0,
      standardize: ['x', 'y'],
    });
    const { x = [], y = [] } = await valuesOf(data.train);
    const first = x.filter((_, at) => at % 2 === 0);
    const mean = first.reduce((sum, one) => sum + one, 0) / 30;
    const variance = first.reduce((sum, one) => sum + (one - mean) ** 2, 0) / 30;
    expect(mean).toBeCloseTo(0, 5);
    expect(variance).toBeCloseTo(1, 5);
    expect(data.scales['x']?.mean).toEqual([14.5, 5]);
    // A column that never changes stays where it is, at 0.
    expect(data.scales['x']?.deviation[1]).toBe(1);
    expect(x.filter((_, at) => at % 2 === 1)).toEqual(new Array(30).fill(0));
    expect(y.flatMap((one, at) => (Number.isNaN(one) ? [at] : []))).toEqual([0, 10, 20]);
    expect(data.summary).toBe(
      '40 samples: 30 train, 0 validation, 10 test\ny: a number; 4 missing',
    );
  });

  it('fills missing inputs with the training mean', async () => {
    const x = numbers(20).map((i) => (i === 3 || i === 15 ? NaN : i));
    const inputs = { x: numbersFrom(x) };
    const targets = { y: numbersFrom(numbers(20)) };
    const parts = numbers(20).map((i) => (i < 10 ? ('train' as const) : ('test' as const)));
    const options = { inputs, targets, parts, validation: 0 };
    expect(() => dataSets(options)).toThrow(
      "sample 3, number 0: expected a number for the input `x`. Found none. `fillMissing: ['x']`",
    );
    const filled = dataSets({ ...options, fillMissing: ['x'] });
    const mean = (45 - 3) / 9;
    expect((await valuesOf(filled.train))['x']![3]).toBeCloseTo(mean, 5);
    expect((await valuesOf(filled.test))['x']![5]).toBeCloseTo(mean, 5);
  });

  it('takes validation from training where parts have none', () => {
    const parts = numbers(40).map((i) => (i === 0 ? null : i < 30 ? 'train' : 'test')) as (
      'train' | 'test' | null
    )[];
    const options = {
      inputs: { x: numbersFrom(numbers(40)) },
      targets: { y: numbersFrom(numbers(40)) },
      parts,
    };
    const data = dataSets({ ...options, validation: 0.1 });
    expect([data.train.count, data.validation?.count, data.test.count]).toEqual([26, 3, 10]);
    expect(() => dataSets({ ...options, test: 0.2 })).toThrow('Option `test`');
  });

  it('describes inputs and targets as networks take them', async () => {
    await expectConstantMemory(async () => {
      const data = dataSets({
        inputs: {
          picture: numbersFrom(new Uint8Array(20 * 6), [2, 3, 1]),
          sound: numbersFrom(numbers(20).map((i) => [i, i, i])),
        },
        targets: {
          kind: classesFrom(numbers(20).map((i) => (i % 5 === 0 ? null : i % 3))),
          place: numbersFrom(numbers(20).map((i) => [i, i])),
        },
      });
      expect(data.shapes).toEqual({ picture: [2, 3, 1], sound: [3] });
      expect(data.tasks).toEqual({
        kind: { kind: 'classification', classes: 3 },
        place: { kind: 'regression', size: 2 },
      });
      expect(data.classes).toEqual({ kind: ['0', '1', '2'] });
      const batch = await data.train.batch(Int32Array.of(0, 1), { epoch: 0 });
      expect(batch.picture.shape).toEqual([2, 2, 3, 1]);
      expect(batch.sound.shape).toEqual([2, 3]);
      expect([batch.kind.dtype, batch.kind.shape]).toEqual(['int32', [2]]);
      expect(batch.place.shape).toEqual([2, 2]);
      tf.dispose(batch);
      expect(() => data.train.batch(Int32Array.of(14), { epoch: 0 })).toThrow('0 to 13');
    });
  });

  describe('refuses', () => {
    const x = numbersFrom(numbers(20));
    const kind = classesFrom(numbers(20).map((i) => (i === 7 ? 'rare' : i % 2 ? 'a' : 'b')));
    it.each([
      [
        'columns of different lengths',
        { targets: { y: numbersFrom(numbers(19)) } },
        '20 of `x` and 19 of `y`',
      ],
      ['a name twice', { targets: { x } }, 'Found `x` among both'],
      ['no targets', { targets: {} }, '`targets` of `dataSets` should have at least one'],
      ['classes as an input', { inputs: { kind }, targets: { y: x } }, 'Found classes.'],
      ['plain arrays', { inputs: { x: [1, 2] } }, 'Found an array of length 2'],
      [
        'shares without training',
        { validation: 0.5, test: 0.5 },
        'should leave samples to train on',
      ],
      ['a share beyond 1', { test: 1.5 }, '`test`'],
      ['no test samples', { test: 0 }, 'Found none for `test`'],
      ['unknown names', { standardize: ['z'] }, 'should name some of x, y. Found `z`'],
      [
        'classes to standardise',
        { targets: { y: x, kind }, standardize: ['kind'] },
        'which is of classes',
      ],
      ['strata without classes', { stratify: 'y' }, 'should name a target of classes'],
      [
        'strata and groups',
        { targets: { kind }, stratify: 'kind', keepTogether: numbers(20) },
        '`keepTogether`',
      ],
      ['too few groups', { keepTogether: [1] }, 'Found 1.'],
      ['unknown parts', { parts: numbers(20).map(() => 'dev') }, 'Found "dev" of sample 0'],
      ['too few parts', { parts: ['train'] }, 'Found 1.'],
      [
        'a class without training samples',
        {
          targets: { kind },
          validation: 0,
          parts: numbers(20).map((i) => (i < 8 && i !== 3 ? 'test' : 'train')),
        },
        'Found none of "rare", which 1 of all samples are',
      ],
      [
        'a target that a part lacks',
        {
          targets: { y: numbersFrom(numbers(20).map((i) => (i < 10 ? i : NaN))) },
          validation: 0,
          parts: numbers(20).map((i) => (i < 10 ? 'train' : 'test')),
        },
        'The test samples should have a target of `y` among them. Found none in 10',
      ],
      ['unknown options', { shuffle: true }, 'shuffle'],
    ])('%s', (_, options, message) => {
      expect(() =>
        dataSets({
          inputs: { x },
          targets: { y: numbersFrom(numbers(20)) },
          ...(options as object),
        }),
      ).toThrow(message);
    });
  });
});
