import {
  createStrategy,
  type GradientStrategy,
  integrateMatrix,
  type RandomState,
  resumeRandom,
} from '@multigrad/core/strategy';
import { bent, dot, norm, steep } from '@multigrad/test-support';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pcgrad, plugin } from './index.ts';

const objectives = ['a', 'b', 'c', 'd', 'e'];

function initial(strategy: GradientStrategy<RandomState>, key: string, size: number): RandomState {
  return strategy.init({ key, objectives: objectives.slice(0, size), tensors: [] });
}

/** The paper's Algorithm 1 on the vectors themselves, in the order that `state` draws. */
function projectVectors(jacobian: readonly (readonly number[])[], state: RandomState): number[] {
  const random = resumeRandom(state);
  const total = jacobian[0]!.map(() => 0);
  jacobian.forEach((row, i) => {
    let projected = [...row];
    const order = jacobian.length > 2 ? random.permutation(jacobian.length) : [0, 1];
    for (const j of order) {
      const other = jacobian[j];
      if (other === undefined || i === j || dot(other, other) === 0) continue;
      const product = dot(projected, other);
      if (product < 0) {
        const factor = product / dot(other, other);
        projected = projected.map((value, at) => value - factor * other[at]!);
      }
    }
    projected.forEach((value, at) => (total[at]! += value));
  });
  return total;
}

const jacobians = fc
  .tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 8 }))
  .chain(([rows, columns]) =>
    fc.array(
      fc.array(fc.double({ min: -1, max: 1, noNaN: true }), {
        minLength: columns,
        maxLength: columns,
      }),
      { minLength: rows, maxLength: rows },
    ),
  )
  // Products of entries below 1e-150 would vanish in the reference as well as in the Gramian.
  .map((jacobian) => jacobian.map((row) => row.map((value) => Math.round(value * 1e6) / 1e6)));

describe('pcgrad', () => {
  it('has the published values', () => {
    const { weights, update } = integrateMatrix(pcgrad(), steep);
    [1 + 22 / 18, 1 + 22 / 38].forEach((weight, k) => expect(weights[k]).toBeCloseTo(weight, 12));
    [0.5847953216, 3.8011695906, 3.8011695906].forEach((value, at) => {
      expect(Math.abs(update[at]! - value)).toBeLessThan(1e-9);
    });
  });

  it('has the values of the second matrix, by hand, for every seed', () => {
    for (let seed = 0; seed < 20; seed++) {
      const { weights, update } = integrateMatrix(pcgrad({ seed }), bent);
      expect([...weights]).toEqual([2, 1.5, 1]);
      expect([...update]).toEqual([2.5, 0.5]);
    }
  });

  it('is 1 + max(0, −G12) / G_ii exactly for two objectives, whatever the seed', () => {
    fc.assert(
      fc.property(jacobians, fc.nat(), (jacobian, seed) => {
        const [a, b] = jacobian;
        fc.pre(a !== undefined && b !== undefined);
        const { weights, update } = integrateMatrix(pcgrad({ seed }), [a, b]);
        const product = dot(a, b);
        const expected = [a, b].map((row) => (product < 0 ? 1 + -product / dot(row, row) : 1));
        weights.forEach((weight, k) => expect(weight / expected[k]!).toBeCloseTo(1, 12));
        for (const row of [a, b]) {
          // Rounding of the update is relative to what cancels in it.
          const size = weights[0]! * norm(a) + weights[1]! * norm(b);
          expect(dot(update, row)).toBeGreaterThanOrEqual(-1e-13 * size * norm(row));
        }
      }),
    );
    for (const seed of [-2, 3]) {
      const { weights } = integrateMatrix(pcgrad({ seed }), steep);
      expect([...weights]).toEqual([1 + 22 / 18, 1 + 22 / 38]);
    }
  });

  it('projects as the vectors themselves would be', () => {
    fc.assert(
      fc.property(jacobians, fc.nat({ max: 1000 }), (jacobian, seed) => {
        const strategy = pcgrad({ seed });
        const state = initial(strategy, 'trunk', jacobian.length);
        const { weights, update } = integrateMatrix(strategy, jacobian, {
          objectives: objectives.slice(0, jacobian.length),
          state,
        });
        const expected = projectVectors(jacobian, state);
        const size = jacobian.reduce((total, row, k) => total + weights[k]! * norm(row), 0);
        expected.forEach((value, at) => {
          // A product that is zero but for rounding may be projected in one and not in the other: no difference.
          expect(Math.abs(update[at]! - value)).toBeLessThanOrEqual(1e-9 * size);
        });
      }),
    );
  });

  it('leaves gradients alone that do not conflict, and a single one', () => {
    const agreeing = [
      [1, 0, 1],
      [0, 2, 1],
      [3, 1, 0],
    ];
    expect([...integrateMatrix(pcgrad(), agreeing).weights]).toEqual([1, 1, 1]);
    expect([...integrateMatrix(pcgrad(), [[3, -1]]).weights]).toEqual([1]);
  });

  it('lets zero gradients take no part', () => {
    const { weights } = integrateMatrix(pcgrad(), [[0, 0, 0], ...steep, [0, 0, 0]]);
    expect([...weights]).toEqual([1, 1 + 22 / 18, 1 + 22 / 38, 1]);
    expect([...integrateMatrix(pcgrad(), [[0], [0]]).weights]).toEqual([1, 1]);
    // Too small for its square, but not for its product with the other.
    expect([...integrateMatrix(pcgrad(), [[1e-170], [-1]]).weights]).toEqual([1, 1]);
  });

  it('cancels opposite gradients and takes duplicates as often as they come', () => {
    const opposite = integrateMatrix(pcgrad(), [
      [3, 1],
      [-3, -1],
    ]);
    expect([...opposite.update]).toEqual([0, 0]);
    const twice = integrateMatrix(pcgrad(), [
      [3, 1],
      [3, 1],
    ]);
    expect([...twice.update]).toEqual([6, 2]);
  });

  it('may conflict with three objectives, and depends on the seed there', () => {
    const unlucky = [
      [1, 0],
      [-0.5, 1],
      [-0.5, -1.2],
    ];
    const results = Array.from({ length: 30 }, (_, seed) =>
      integrateMatrix(pcgrad({ seed }), unlucky),
    );
    expect(new Set(results.map(({ weights }) => weights.join())).size).toBeGreaterThan(1);
    const worst = results.map(({ update }) => Math.min(...unlucky.map((row) => dot(update, row))));
    expect(Math.min(...worst)).toBeLessThan(-0.01);
  });

  it('stays finite with gradients of very different size', () => {
    const { weights } = integrateMatrix(pcgrad(), [
      [1e-20, 1e-20],
      [-1e20, 0],
    ]);
    expect([...weights].map((weight, k) => weight / [5e39, 1][k]!)).toEqual([1, 1]);
  });

  it('seeds each group apart', () => {
    const strategy = pcgrad({ seed: 3 });
    const states = ['trunk', 'head'].map((key) => JSON.stringify(initial(strategy, key, 4)));
    expect(states[0]).not.toBe(states[1]);
    expect(JSON.stringify(initial(pcgrad({ seed: 3 }), 'trunk', 4))).toBe(states[0]);
    expect(JSON.stringify(initial(pcgrad({ seed: 4 }), 'trunk', 4))).not.toBe(states[0]);
  });

  it('draws nothing where there is one order', () => {
    const strategy = pcgrad();
    const state = initial(strategy, 'trunk', 2);
    const given = { objectives: ['a', 'b'], state };
    expect(integrateMatrix(strategy, steep, given).state).toEqual(state);
  });

  it('refuses seeds that are none', () => {
    expect(() => pcgrad({ seed: 1.5 })).toThrow(
      'Option `seed` of `pcgrad` should be an integer. Found 1.5.',
    );
    expect(() => pcgrad({ seed: 2 ** 53 })).toThrow('Found 9007199254740992.');
  });
});

describe('plugin', () => {
  it('describes the factory', () => {
    expect(plugin.name).toBe(pcgrad().name);
    const made = createStrategy(plugin, { seed: '9' });
    const group = { key: 'k', objectives: ['a', 'b', 'c'], tensors: [] };
    expect(made.init(group)).toEqual(pcgrad({ seed: 9 }).init(group));
  });
});
