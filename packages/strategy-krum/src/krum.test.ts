import {
  createStrategy,
  gramianOf,
  groupGradients,
  integrateMatrix,
} from '@multigrad/core/strategy';
import { problem } from '@multigrad/test-support';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { krum, type KrumOptions, plugin } from './index.ts';

function integrate(jacobian: readonly (readonly number[])[], options?: KrumOptions) {
  return integrateMatrix(krum(options), jacobian);
}

/** The paper's scores, on the vectors themselves. */
function scoresOf(jacobian: readonly (readonly number[])[], byzantine: number): number[] {
  return jacobian.map((row, i) =>
    jacobian
      .filter((_, j) => j !== i)
      .map((other) => row.reduce((sum, value, at) => sum + (value - other[at]!) ** 2, 0))
      .sort((a, b) => a - b)
      .slice(0, jacobian.length - byzantine - 2)
      .reduce((sum, value) => sum + value, 0),
  );
}

const entry = fc.integer({ min: -1000, max: 1000 }).map((value) => value / 100);
const cases = fc
  .record({
    rows: fc.integer({ min: 4, max: 7 }),
    columns: fc.integer({ min: 1, max: 6 }),
  })
  .chain(({ rows, columns }) =>
    fc.record({
      jacobian: fc.array(fc.array(entry, { minLength: columns, maxLength: columns }), {
        minLength: rows,
        maxLength: rows,
      }),
      byzantine: fc.integer({ min: 0, max: rows - 3 }),
      selected: fc.integer({ min: 1, max: rows }),
    }),
  );

const line = [[0], [0.1], [3.1], [10], [12], [14]];

describe('krum', () => {
  it('has the values by hand', () => {
    // Squared distances of neighbours: row 3 has 4 + 4, row 1 has .01 + 9. The distances alone would say row 1.
    const options = { byzantine: 2 };
    expect([...integrate(line, options).weights]).toEqual([0, 0, 0, 0, 1, 0]);
    const multi = integrate(line, { byzantine: 2, selected: 3 });
    // Then rows 1 (9.01) and 0 (.01 + 9.61).
    expect([...multi.weights]).toEqual([1 / 3, 1 / 3, 0, 0, 1 / 3, 0]);
    expect(multi.update[0]).toBeCloseTo(12.1 / 3, 14);
    expect([...integrate(line, { byzantine: 3, selected: 6 }).weights]).toEqual(
      line.map(() => 1 / 6),
    );
  });

  it('drops an outlier, whatever its size', () => {
    for (const size of [10, 1e3, 1e15]) {
      const { weights } = integrate(
        [
          [1, 0],
          [1.5, 0.5],
          [-size, size],
          [2, 0.5],
        ],
        {
          selected: 3,
        },
      );
      expect([...weights]).toEqual([1 / 3, 1 / 3, 0, 1 / 3]);
    }
  });

  it('selects the smallest scores', () => {
    fc.assert(
      fc.property(cases, ({ jacobian, byzantine, selected }) => {
        const before = structuredClone(jacobian);
        const { weights } = integrate(jacobian, { byzantine, selected });
        expect(jacobian).toEqual(before);
        const scores = scoresOf(jacobian, byzantine);
        const chosen = scores.filter((_, k) => weights[k] !== 0);
        const dropped = scores.filter((_, k) => weights[k] === 0);
        expect(chosen.length).toBe(selected);
        for (const weight of weights) expect([0, 1 / selected]).toContain(weight);
        // Rounding is relative to the longest row: two scores that close may come in either order.
        const size = Math.max(...jacobian.map((row) => Math.hypot(...row))) ** 2;
        expect(Math.max(...chosen)).toBeLessThanOrEqual(Math.min(...dropped) + 1e-12 * size);
      }),
    );
  });

  it('weighs permuted objectives alike where scores differ', () => {
    fc.assert(
      fc.property(cases, ({ jacobian, byzantine, selected }) => {
        const scores = scoresOf(jacobian, byzantine).sort((a, b) => a - b);
        const size = Math.max(...jacobian.map((row) => Math.hypot(...row))) ** 2;
        const last = scores[selected];
        fc.pre(last === undefined || last - scores[selected - 1]! > 1e-12 * size);
        const forth = integrate(jacobian, { byzantine, selected }).weights;
        const back = integrate([...jacobian].reverse(), { byzantine, selected }).weights;
        expect([...back].reverse()).toEqual([...forth]);
      }),
    );
  });

  it('takes the first of equal scores', () => {
    // The two nearest neighbours of each other have one score: K − f − 2 = 1.
    const rows = [[9], [1], [2], [20]];
    expect([...integrate(rows, { byzantine: 1 }).weights]).toEqual([0, 1, 0, 0]);
    expect([...integrate([...rows].reverse(), { byzantine: 1 }).weights]).toEqual([0, 1, 0, 0]);
    const zeros = [[0], [0], [0], [0]];
    expect([...integrate(zeros, { byzantine: 1 }).weights]).toEqual([1, 0, 0, 0]);
  });

  it('is finite and defined for whatever rows', () => {
    const value = fc.constantFrom(0, 0, 1, -1, 2, 1e-3, -1e-3, 1e3, -1e3);
    const rows = fc.array(fc.tuple(value, value, value), { minLength: 4, maxLength: 6 });
    fc.assert(
      fc.property(rows, (jacobian) => {
        const { weights } = integrate(jacobian, { selected: 2 });
        expect([...weights].sort()).toEqual([...jacobian.slice(2).map(() => 0), 0.5, 0.5]);
      }),
    );
  });

  it('finds duplicates at no distance, also where rounding says less', () => {
    const values = gramianOf([
      [1, 2],
      [1, 2],
      [3, 0],
      [0, 7],
    ]).values;
    values[1] = 5 + 1e-7;
    values[4] = 5 + 1e-7;
    const seen = groupGradients({
      objectives: ['a', 'b', 'c', 'd'],
      gramian: { size: 4, values, relativeError: 2 ** -22 },
    });
    expect([...krum({ selected: 2 }).integrate(seen, null).weights]).toEqual([0.5, 0.5, 0, 0]);
  });

  it('refuses groups that are too small, from the start and at a step', () => {
    const strategy = krum({ byzantine: 2 });
    expect(
      problem('unsupported', () =>
        strategy.init({ key: 'trunk', objectives: ['a', 'b', 'c', 'd'], tensors: [] }),
      ),
    ).toBe(
      'Strategy `krum` with byzantine 2 and selected 1 needs at least 5 objectives in a group. Found 4 in group `trunk`: `a`, `b`, `c`, `d`.',
    );
    const present = groupGradients({
      objectives: ['a', 'c'],
      gramian: gramianOf([[1], [2]]),
      step: 7,
    });
    expect(problem('unsupported', () => strategy.integrate(present, null))).toBe(
      'Strategy `krum` with byzantine 2 and selected 1 needs at least 5 objectives in a group. Found 2 at step 7: `a`, `c`.',
    );
    expect(problem('unsupported', () => integrate([[1]]))).toContain('needs at least 3 objectives');
    expect(problem('unsupported', () => integrate(line, { selected: 7 }))).toContain(
      'needs at least 7 objectives in a group. Found 6 in group `matrix`',
    );
    expect([...integrate([[1], [2], [4]], { byzantine: 0 }).weights]).toEqual([1, 0, 0]);
  });

  it('refuses options out of range', () => {
    expect(problem('invalid-option', () => krum({ byzantine: -1 }))).toBe(
      'Option `byzantine` of `krum` should be an integer >= 0. Found -1.',
    );
    expect(problem('invalid-option', () => krum({ selected: 0 }))).toBe(
      'Option `selected` of `krum` should be an integer >= 1. Found 0.',
    );
  });
});

describe('plugin', () => {
  it('describes the factory', () => {
    expect(plugin.name).toBe(krum().name);
    const made = createStrategy(plugin, { byzantine: '2', selected: '3' });
    expect([...integrateMatrix(made, line).weights].filter((weight) => weight > 0).length).toBe(3);
  });
});
