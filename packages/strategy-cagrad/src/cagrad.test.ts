import { integrateMatrix } from '@multigrad/core/strategy';
import { dot, expectNoConflict, expectVector, jacobians, steep } from '@multigrad/test-support';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { caGrad, plugin } from './index.ts';

const meanOf = (jacobian: readonly number[][]): number[] =>
  jacobian[0]!.map((_, c) => jacobian.reduce((sum, row) => sum + row[c]!, 0) / jacobian.length);

const length = (row: ArrayLike<number>): number => Math.sqrt(dot(row, row));

describe('caGrad', () => {
  it('has the published value', () => {
    const { update } = integrateMatrix(caGrad(), steep);
    expectVector(update, [0.1835034191, 1.2041241452, 1.2041241452]);
  });

  it('stays within c |g_0| of the mean, and no other vector there gains more', () => {
    fc.assert(
      fc.property(jacobians, fc.constantFrom(0.1, 0.5, 0.9, 2), (jacobian, c) => {
        const mean = meanOf(jacobian);
        const radius = c * length(mean);
        const { update, weights, note } = integrateMatrix(caGrad({ c }), jacobian);
        if (note === 'stationary') {
          expect([...weights]).toEqual(jacobian.map(() => 0));
          return;
        }
        const size = Math.max(...jacobian.map(length));
        const moved = mean.map((value, at) => update[at]! - value);
        expect(length(moved)).toBeLessThanOrEqual(radius * (1 + 1e-6) + 1e-9 * size);
        // Weak duality: any w bounds the gain by ⟨g_w, g_0⟩ + radius |g_w|; the own w reaches it.
        const extra = weights.map((weight) => Math.max(0, weight - 1 / jacobian.length));
        const total = extra.reduce((a, b) => a + b, 0);
        const gain = Math.min(...jacobian.map((row) => dot(row, update)));
        if (total === 0) {
          expect(gain).toBeGreaterThanOrEqual(-1e-8 * size * size);
          return;
        }
        const combined = mean.map((_, at) =>
          jacobian.reduce((sum, row, k) => sum + (extra[k]! / total) * row[at]!, 0),
        );
        const bound = dot(combined, mean) + radius * length(combined);
        expect(bound - gain).toBeLessThanOrEqual(1e-6 * size * size * (1 + c));
      }),
    );
  });

  it('conflicts with no gradient from c = 1 on, and may below', () => {
    fc.assert(fc.property(jacobians, (jacobian) => expectNoConflict(caGrad({ c: 1.2 }), jacobian)));
    const lopsided = [
      [1, 0],
      [-10, 1],
    ];
    expect(dot(integrateMatrix(caGrad({ c: 0.1 }), lopsided).update, lopsided[0]!)).toBeLessThan(
      -1,
    );
  });

  it('is the mean with c = 0, and 1 + c gradients of one objective', () => {
    expectVector(integrateMatrix(caGrad({ c: 0 }), steep).update, [1, 1, 1], 1e-14);
    expectVector(integrateMatrix(caGrad(), [[3, -1]]).update, [4.5, -1.5], 1e-12);
  });

  it('divides at the end as told', () => {
    const plain = integrateMatrix(caGrad(), steep).weights;
    const square = integrateMatrix(caGrad({ rescale: 'square' }), steep).weights;
    const linear = integrateMatrix(caGrad({ rescale: 'linear' }), steep).weights;
    expectVector(square, [plain[0]! / 1.25, plain[1]! / 1.25], 1e-15);
    expectVector(linear, [plain[0]! / 1.5, plain[1]! / 1.5], 1e-15);
  });

  it('stands still at stationary gradients from c = 1 on, and where the mean is zero', () => {
    for (const rows of [
      [
        [1, 2],
        [-2, -4],
      ],
      [
        [0, 0],
        [1, 1],
      ],
      [
        [1, 0],
        [-1, 1],
        [-1, -1],
      ],
    ]) {
      expect(integrateMatrix(caGrad({ c: 1 }), rows).note).toBe('stationary');
      expect(integrateMatrix(caGrad(), rows).note).toBeUndefined();
    }
    expect(
      integrateMatrix(caGrad(), [
        [1, 2],
        [-1, -2],
      ]).note,
    ).toBe('stationary');
  });

  it('describes itself', () => {
    expect(plugin.create().name).toBe(plugin.name);
    expect(() => caGrad({ c: -1 })).toThrow('Option `c` of `cagrad` should be');
  });
});
