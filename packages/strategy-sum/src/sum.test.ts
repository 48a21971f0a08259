import { gramianOf, groupGradients, integrateMatrix } from '@multigrad/core/strategy';
import { bent, steep, problem } from '@multigrad/test-support';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { plugin, sum } from './index.ts';

describe('sum', () => {
  it('adds the gradients up', () => {
    expect([...integrateMatrix(sum(), steep).update]).toEqual([2, 2, 2]);
    expect([...integrateMatrix(sum(), bent).update]).toEqual([2, 0]);
    expect([...integrateMatrix(sum({ weights: null }), bent).weights]).toEqual([1, 1, 1]);
  });

  it('weights by name, one where nothing is named', () => {
    const strategy = sum({ weights: { c: 3, a: 0.5 } });
    const { weights } = integrateMatrix(strategy, bent, { objectives: ['a', 'b', 'c'] });
    expect([...weights]).toEqual([0.5, 1, 3]);
  });

  it('asks for no gradients, and reads none', () => {
    const strategy = sum({ weights: { b: 2 } });
    expect(strategy.needs).toEqual({ gradients: 'none' });
    const state = strategy.init({ key: 'all', objectives: ['a', 'b', 'c'], tensors: ['t'] });
    // The objective `a` is absent: the others keep their weights.
    const seen = groupGradients({ strategy: 'sum', objectives: ['c', 'b'], step: 0 });
    expect(strategy.integrate(seen, state)).toEqual({
      weights: Float64Array.of(1, 2),
      state: null,
    });
  });

  it('goes by own names only', () => {
    const objectives = ['constructor', '__proto__'];
    const plain = integrateMatrix(sum({ weights: {} }), [[1], [1]], { objectives });
    expect([...plain.weights]).toEqual([1, 1]);
    const weights = JSON.parse('{"__proto__": 2}') as Record<string, number>;
    const weighted = integrateMatrix(sum({ weights }), [[1], [1]], { objectives });
    expect([...weighted.weights]).toEqual([1, 2]);
  });

  it('is not changed by what happens to its options later', () => {
    const weights = { a: 2 };
    const strategy = sum({ weights });
    weights.a = 5;
    expect([...integrateMatrix(strategy, [[1]], { objectives: ['a'] }).weights]).toEqual([2]);
  });

  it('refuses a weight of an objective that there is not', () => {
    const init = (name: string) => () =>
      sum({ weights: { [name]: 2 } }).init({
        key: 'all',
        objectives: ['image', 'audio'],
        tensors: [],
      });
    expect(problem('invalid-objective', init('imgae'))).toBe(
      'Option `weights` of `sum` weights the objective `imgae`, which the network does not have. Did you mean `image`? Its objectives: `image`, `audio`.',
    );
    expect(problem('invalid-objective', init('text'))).toBe(
      'Option `weights` of `sum` weights the objective `text`, which the network does not have. Its objectives: `image`, `audio`.',
    );
  });

  it('refuses weights that are no weights', () => {
    expect(problem('invalid-option', () => sum({ weights: { a: -1 } }))).toBe(
      'Option `weights.a` of `sum` should be a finite number >= 0. Found -1.',
    );
    expect(problem('invalid-option', () => plugin.create({ weight: 1 } as object))).toBe(
      '`sum` has no option `weight`. Did you mean `weights`? Its options: `weights`.',
    );
  });

  it('is linear in every gradient, zero and opposite ones too', () => {
    const entry = fc.double({ min: -1e15, max: 1e15, noNaN: true });
    fc.assert(
      fc.property(fc.array(fc.tuple(entry, entry), { minLength: 1, maxLength: 5 }), (jacobian) => {
        const before = structuredClone(jacobian);
        const { update } = integrateMatrix(sum(), jacobian);
        expect(jacobian).toEqual(before);
        for (const column of [0, 1]) {
          const expected = jacobian.reduce((total, row) => total + row[column]!, 0);
          const size = jacobian.reduce((total, row) => total + Math.abs(row[column]!), 0);
          expect(Math.abs(update[column]! - expected)).toBeLessThanOrEqual(1e-15 * size * 5);
        }
      }),
    );
  });

  it('ignores the Gramian: extreme gradients have the same weights', () => {
    for (const scale of [1e-150, 1e-15, 1e15, 1e150]) {
      const seen = groupGradients({
        strategy: 'sum',
        objectives: ['a', 'b'],
        gramian: gramianOf([[scale], [-scale]]),
        step: 0,
      });
      expect([...sum().integrate(seen, null).weights]).toEqual([1, 1]);
    }
  });
});

describe('plugin', () => {
  it('describes the factory', () => {
    expect(plugin.name).toBe(sum().name);
    expect(Object.keys(plugin.options)).toEqual(['weights']);
    const strategy = plugin.create({ weights: { a: 2 } });
    expect([...integrateMatrix(strategy, [[1]], { objectives: ['a'] }).weights]).toEqual([2]);
  });
});
