import { expectConstantMemory } from '@multigrad/test-support';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ClipOptions, clipGradients } from './clip-gradients.ts';
import { type Combinations, materialise } from './combination.ts';

/** Rows of one variable, and the weights with which they are added up. */
interface Written {
  readonly rows: readonly (readonly number[])[];
  readonly weights: readonly number[];
}

const groups = [['a', 'b'], ['c']];
const number = fc.double({ min: -1e3, max: 1e3, noNaN: true }).map(Math.fround);
const gradient = fc
  .record({ size: fc.integer({ min: 1, max: 7 }), count: fc.integer({ min: 1, max: 3 }) })
  .chain(({ size, count }) =>
    fc.record({
      rows: fc.array(fc.array(number, { minLength: size, maxLength: size }), {
        minLength: count,
        maxLength: count,
      }),
      weights: fc.array(fc.double({ min: 0.1, max: 2, noNaN: true }), {
        minLength: count,
        maxLength: count,
      }),
    }),
  );
const limit = fc.option(fc.double({ min: 1e-2, max: 1e4, noNaN: true }), { nil: undefined });

/** Clips in float64, as the options' formulas say. */
function reference(
  gradients: ReadonlyMap<string, Written>,
  { value, groupNorm, globalNorm }: ClipOptions,
): Map<string, number[]> {
  let clipped = new Map(
    Array.from(gradients, ([name, { rows, weights }]) => [
      name,
      rows[0]!.map((_, c) => rows.reduce((sum, row, k) => sum + weights[k]! * row[c]!, 0)),
    ]),
  );
  const each = (names: readonly string[], change: (one: number) => number): void => {
    clipped = new Map(
      Array.from(clipped, ([name, own]) => [name, names.includes(name) ? own.map(change) : own]),
    );
  };
  const norm = (names: readonly string[]): number =>
    Math.hypot(...names.flatMap((name) => clipped.get(name) ?? []));
  const all = [...clipped.keys()];
  if (value !== undefined) each(all, (one) => Math.max(-value, Math.min(value, one)));
  for (const [sets, most] of [
    [groups, groupNorm],
    [[all], globalNorm],
  ] as const) {
    if (most === undefined) continue;
    for (const names of sets) {
      const factor = Math.min(1, most / norm(names));
      each(names, (one) => one * factor);
    }
  }
  return clipped;
}

/** The clipped gradients as numbers, in memory that is as it was before. */
async function clipped(
  written: readonly ReadonlyMap<string, Written>[],
  options: ClipOptions,
  addUp: boolean,
): Promise<Map<string, number[]>[]> {
  const made: tf.Tensor[] = [];
  const own = (tensor: tf.Tensor): tf.Tensor => {
    made.push(tensor);
    return tensor;
  };
  const sets = written.map((set): Combinations => {
    return new Map(
      Array.from(set, ([name, { rows, weights }]) => {
        const combination = { rows: rows.map((row) => own(tf.tensor1d([...row]))), weights };
        return [
          name,
          addUp ? { rows: [own(materialise(combination))], weights: [1] } : combination,
        ];
      }),
    );
  });
  const within = await clipGradients(sets, options, {
    groups,
    sum: async (squares) => Promise.resolve(squares),
    own,
  });
  const numbers = within.map(
    (set) =>
      new Map(
        Array.from(set, ([name, combination]) => [
          name,
          [...own(materialise(combination!)).dataSync()],
        ]),
      ),
  );
  tf.dispose(made);
  return numbers;
}

function expectNear(
  found: ReadonlyMap<string, readonly number[]>,
  expected: ReadonlyMap<string, readonly number[]>,
  written: ReadonlyMap<string, Written>,
): void {
  for (const [name, own] of expected) {
    const { rows, weights } = written.get(name)!;
    const size = rows.reduce((sum, row, k) => sum + weights[k]! * Math.hypot(...row), 0);
    own.forEach((one, c) => {
      expect(Math.abs(found.get(name)![c]! - one)).toBeLessThanOrEqual(1e-5 * size);
    });
  }
}

describe('clipGradients', () => {
  it('is the formula in float64, whether gradients are added up or rows with weights', async () => {
    await expectConstantMemory(async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.record({ a: gradient, b: gradient, c: gradient }),
          fc.record({ value: limit, groupNorm: limit, globalNorm: limit }),
          async (record, limits) => {
            const options = Object.fromEntries(
              Object.entries(limits).filter(([, one]) => one !== undefined),
            ) as ClipOptions;
            const written = new Map(Object.entries(record));
            const expected = reference(written, options);
            for (const addUp of [true, false]) {
              const [found] = await clipped([written], options, addUp);
              expectNear(found!, expected, written);
            }
          },
        ),
        { numRuns: 60 },
      );
    });
  });

  it('limits each set by itself', async () => {
    const set = (factor: number): ReadonlyMap<string, Written> =>
      new Map([['a', { rows: [[3 * factor, 4 * factor]], weights: [1] }]]);
    const found = await clipped([set(1), set(2)], { globalNorm: 1 }, true);
    expect(found.map((one) => one.get('a')!.map((value) => Number(value.toFixed(6))))).toEqual([
      [0.6, 0.8],
      [0.6, 0.8],
    ]);
  });

  it('is the same from slices, of which some are empty, with norms over all of them', async () => {
    await expectConstantMemory(async () => {
      const options = { groupNorm: 5, globalNorm: 4 };
      const whole = new Map<string, Written>([
        ['a', { rows: [[3, 4, 12]], weights: [1] }],
        ['c', { rows: [[8]], weights: [2] }],
      ]);
      const [expected] = await clipped([whole], options, true);
      const cut = (from: number, to: number): Combinations =>
        new Map(
          Array.from(whole, ([name, { rows, weights }]) => [
            name,
            { rows: rows.map((row) => tf.tensor1d(row.slice(from, to), 'float32')), weights },
          ]),
        );
      const slices = [cut(0, 2), cut(2, 3)];
      // Each rank waits until all have said theirs.
      const rounds: { values: Float64Array[]; done: ((total: Float64Array) => void)[] }[] = [];
      const sumOf = (): ((squares: Float64Array) => Promise<Float64Array>) => {
        let round = -1;
        return async (squares) =>
          new Promise((resolve) => {
            round += 1;
            const own = (rounds[round] ??= { values: [], done: [] });
            own.values.push(squares);
            own.done.push(resolve);
            if (own.values.length < slices.length) return;
            const total = squares.map((_, k) =>
              own.values.reduce((all, some) => all + some[k]!, 0),
            );
            for (const done of own.done) done(total);
          });
      };
      const found = await Promise.all(
        slices.map(async (set) =>
          clipGradients([set], options, { groups, sum: sumOf(), own: () => undefined }),
        ),
      );
      for (const [name, own] of expected!) {
        const together = found.flatMap(([set]) => {
          const row = materialise(set!.get(name)!);
          const numbers = [...row.dataSync()];
          row.dispose();
          return numbers;
        });
        expect(together).toHaveLength(own.length);
        together.forEach((value, c) => expect(value).toBeCloseTo(own[c]!, 5));
      }
      for (const set of slices) tf.dispose([...set.values()].flatMap((one) => [...one!.rows]));
    });
  });

  it.each([
    ['value', { value: 1 }],
    ['groupNorm', { groupNorm: 1 }],
    ['globalNorm', { globalNorm: 1 }],
  ])(
    'leaves the others finite where one gradient is not, so that it can be named: %s',
    async (_, options) => {
      for (const broken of [NaN, Infinity]) {
        const written = new Map<string, Written>([
          ['a', { rows: [[broken, 2]], weights: [1] }],
          ['b', { rows: [[3, 4]], weights: [1] }],
          ['c', { rows: [[0]], weights: [1] }],
        ]);
        const [found] = await clipped([written], options, true);
        expect(found!.get('a')![0]).toSatisfy((value: number) => !Number.isFinite(value));
        expect(found!.get('b')!.every(Number.isFinite)).toBe(true);
        expect(found!.get('c')).toEqual([0]);
      }
    },
  );

  it('knows norms of gradients whose squares float32 cannot hold', async () => {
    for (const scale of [1e-30, 1e30]) {
      const written = new Map<string, Written>([
        ['a', { rows: [[3 * scale, 4 * scale]], weights: [1] }],
      ]);
      const [found] = await clipped([written], { globalNorm: scale }, true);
      found!.get('a')!.forEach((value, c) => expect(value / scale).toBeCloseTo([0.6, 0.8][c]!, 5));
    }
  });
});
