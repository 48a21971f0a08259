import { integrateMatrix } from '@multigrad/core/strategy';
import { expectVector, steep } from '@multigrad/test-support';
import { describe, expect, it } from 'vitest';
import { modo, plugin } from './index.ts';

const second = [
  [1, 0, 0],
  [0, 2, 0],
];
const third = [
  [0, 0, 1],
  [5, 0, 0],
];

describe('modo', () => {
  it('steps by the products of two batches and applies to the third', () => {
    // J1 J2ᵀ = [[-4, 2], [6, 2]]; times (.5, .5): (-1, 4); plus .1 · (.5, .5).
    const { update, state } = integrateMatrix(modo({ gamma: 0.01 }), steep, {
      batches: [second, third],
    });
    const lambda = [0.5 + 0.0095, 0.5 - 0.0405];
    const excess = (lambda[0]! + lambda[1]! - 1) / 2;
    const [a, b] = [lambda[0]! - excess, lambda[1]! - excess];
    expectVector(update, [5 * b, 0, a], 1e-14);
    expectVector([state['0']!, state['1']!], [a, b], 1e-14);
  });

  it('reaches the weights of MGDA on batches that agree', () => {
    const strategy = modo({ gamma: 0.002, rho: 0 });
    let { state } = integrateMatrix(strategy, steep, { batches: [steep, steep] });
    for (let step = 0; step < 2000; step += 1) {
      ({ state } = integrateMatrix(strategy, steep, { batches: [steep, steep], state }));
    }
    expectVector([state['0']!, state['1']!], [0.6, 0.4], 1e-9);
  });

  it('keeps one objective, and the weight of an absent one', () => {
    const { update, state } = integrateMatrix(modo(), [[1, 2]], {
      objectives: ['a'],
      batches: [[[3, 4]], [[5, 6]]],
      state: { a: 0.25, b: 0.75 },
    });
    expectVector(update, [5, 6], 0);
    expect(state).toEqual({ a: 1, b: 0.75 });
  });

  it('needs three batches', () => {
    expect(() => integrateMatrix(modo(), steep)).toThrow(
      'Option `batches` should hold the gradients of 2 further batches, which strategy `modo` needs. Found 0.',
    );
    expect(plugin.create().needs.batches).toBe(3);
  });
});
