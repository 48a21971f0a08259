import { describe, expect, it } from 'vitest';
import { fixedWeights, rankByTensor, unitSum } from '../engine/testing/strategies.ts';
import type { GradientStrategy } from './strategy.ts';
import { integrateMatrix } from './integrate-matrix.ts';

const jacobian = [
  [3, 4, 1],
  [0, 2, 1],
];

describe('integrateMatrix', () => {
  it('returns weights and the update they mean', () => {
    const { weights, update } = integrateMatrix(fixedWeights({ b: 2 }), jacobian, {
      objectives: ['a', 'b'],
    });
    expect([...weights]).toEqual([1, 2]);
    expect([...update]).toEqual([3, 8, 3]);
  });

  it('carries the state', () => {
    const first = integrateMatrix(unitSum(), jacobian);
    expect(integrateMatrix(unitSum(), jacobian, { state: first.state }).state).toBe(2);
  });

  it('gives each tensor its own weights', () => {
    const tensors = [
      { name: 'x', size: 1 },
      { name: 'y', size: 2 },
    ];
    const { update, weights } = integrateMatrix(rankByTensor(), jacobian, {
      tensors,
      losses: [5, 6],
    });
    expect([...update]).toEqual([3, 4 * 11 + 2 * 12, 11 + 12]);
    expect([...weights]).toEqual([5, 6]);
  });

  it('leaves its input alone', () => {
    const rows = jacobian.map((row) => Object.freeze([...row]));
    integrateMatrix(unitSum(), Object.freeze(rows));
    expect(rows).toEqual(jacobian);
  });

  it('shows a strategy no more than it asked for', () => {
    const peeking: GradientStrategy = {
      ...fixedWeights(),
      name: 'peeking',
      integrate: ({ gramian }, state) => ({ weights: gramian.values, state }),
    };
    expect(() => integrateMatrix(peeking, jacobian)).toThrow(
      /`peeking` read `gramian` without asking/,
    );
    const greedy: GradientStrategy = {
      ...(unitSum() as unknown as GradientStrategy),
      integrate: ({ losses }, state) => ({ weights: losses, state }),
    };
    expect(() => integrateMatrix(greedy, jacobian, { losses: [1, 2] })).toThrow(/`losses: 'now'`/);
  });

  it('refuses sizes that do not match and strategies of another specification', () => {
    expect(() =>
      integrateMatrix(unitSum(), jacobian, { tensors: [{ name: 'x', size: 2 }] }),
    ).toThrow(/add up to the 3 columns.*Found 2/);
    expect(() => integrateMatrix(unitSum(), jacobian, { objectives: ['a'] })).toThrow(
      /expected 1 numbers, found 4/,
    );
    expect(() => integrateMatrix(unitSum(), jacobian, { objectives: ['a', 'a'] })).toThrow(
      /each once/,
    );
    const future = { ...unitSum(), specification: 2 } as unknown as GradientStrategy;
    expect(() => integrateMatrix(future, jacobian)).toThrow(/`specification` 1. Found/);
  });
});
