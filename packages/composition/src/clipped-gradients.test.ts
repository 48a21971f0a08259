import { integrateMatrix } from '@multigrad/core/strategy';
import { mgda } from '@multigrad/strategy-mgda';
import { sum } from '@multigrad/strategy-sum';
import { expectVector, jacobians } from '@multigrad/test-support';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clippedGradients } from './clipped-gradients.ts';

describe('clippedGradients', () => {
  it('is the strategy on clipped rows', () => {
    fc.assert(
      fc.property(jacobians, fc.constantFrom(0.5, 3, 40), (jacobian, norm) => {
        const clipped = jacobian.map((row) => {
          const length = Math.hypot(...row);
          return length > norm ? row.map((value) => (value * norm) / length) : row;
        });
        const { update } = integrateMatrix(clippedGradients(sum(), { norm }), jacobian);
        expectVector(update, [...integrateMatrix(sum(), clipped).update]);
      }),
    );
  });

  it('leaves short gradients alone', () => {
    const jacobian = [
      [3, 4],
      [0, -1],
    ];
    expect(integrateMatrix(clippedGradients(mgda(), { norm: 5 }), jacobian).weights).toEqual(
      integrateMatrix(mgda(), jacobian).weights,
    );
  });

  it.each([0, -1, NaN, Infinity])('refuses a norm of %d', (norm) => {
    expect(() => clippedGradients(sum(), { norm })).toThrow('finite number > 0');
  });
});
