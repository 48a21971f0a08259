import { integrateMatrix } from '@multigrad/core/strategy';
import { nashMtl } from '@multigrad/strategy-nash-mtl';
import { dot, expectVector, jacobians, steep } from '@multigrad/test-support';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fairgrad, plugin } from './index.ts';

describe('fairgrad', () => {
  it('solves its equations, for any alpha', () => {
    fc.assert(
      fc.property(jacobians, fc.constantFrom(0.1, 0.5, 1, 2, 5, 20), (jacobian, alpha) => {
        const { weights, update, note } = integrateMatrix(fairgrad({ alpha }), jacobian);
        if (note === 'stationary') {
          expect([...weights]).toEqual(jacobian.map(() => 0));
          return;
        }
        jacobian.forEach((row, k) => {
          const gain = dot(update, row);
          const terms = jacobian.reduce(
            (sum, other, j) => sum + Math.abs(weights[j]! * dot(row, other)),
            0,
          );
          expect(Math.abs(gain - weights[k]! ** (-1 / alpha))).toBeLessThanOrEqual(1e-9 * terms);
        });
      }),
    );
  });

  it('gives a large alpha the weights of the objectives that gain least', () => {
    // Six objectives of which some gain more than the least whatever one does: their weights all but vanish.
    const rows = [
      [5, 6, 2],
      [-5, -1, 8],
      [-7, 2, 6],
      [-3, -8, 1],
      [-6, 8, -8],
      [-2, -5, 5],
    ].map((row) => [...row, 9]);
    for (const alpha of [20, 50, 100]) {
      const { weights, update } = integrateMatrix(fairgrad({ alpha }), rows);
      rows.forEach((row, k) => {
        expect(dot(update, row) * weights[k]! ** (1 / alpha)).toBeCloseTo(1, 9);
      });
    }
  });

  it('has the direction of Nash-MTL with alpha 1', () => {
    const fair = integrateMatrix(fairgrad(), steep).weights;
    const nash = integrateMatrix(nashMtl(), steep).weights;
    expect(fair[0]! / nash[0]!).toBeCloseTo(fair[1]! / nash[1]!, 12);
    const unclipped = integrateMatrix(nashMtl({ maxNorm: null }), steep).weights;
    expectVector(unclipped, [...fair], 1e-12);
  });

  it('has the stated degree of homogeneity', () => {
    for (const [alpha, degree] of [
      [1, 0],
      [3, -0.5],
      [1 / 3, 0.5],
    ] as const) {
      const plain = integrateMatrix(fairgrad({ alpha }), steep).update;
      const scaled = integrateMatrix(
        fairgrad({ alpha }),
        steep.map((row) => row.map((x) => x * 1e15)),
      ).update;
      expect(scaled[1]! / plain[1]! / 1e15 ** degree).toBeCloseTo(1, 9);
    }
  });

  it('stands still where there is no solution', () => {
    for (const rows of [
      [
        [1, 2],
        [-1, -2],
      ],
      [
        [0, 0],
        [1, 2],
      ],
      [[0, 0]],
    ]) {
      const { weights, note } = integrateMatrix(fairgrad(), rows);
      expect([[...weights], note]).toEqual([rows.map(() => 0), 'stationary']);
    }
  });

  it('describes itself', () => {
    expect(plugin.create().name).toBe(plugin.name);
    expect(() => fairgrad({ alpha: 0 })).toThrow('Option `alpha` of `fairgrad` should be');
  });
});
