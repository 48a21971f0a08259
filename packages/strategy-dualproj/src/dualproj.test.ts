import { integrateMatrix } from '@multigrad/core/strategy';
import {
  dot,
  expectVector,
  itEndsAtStationaryGradients,
  jacobians,
  steep,
} from '@multigrad/test-support';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dualproj, plugin } from './index.ts';

describe('dualproj', () => {
  it('has the published value', () => {
    const { weights, update } = integrateMatrix(dualproj(), steep);
    expectVector(weights, [0.6111111111, 0.5]);
    expectVector(update, [5 / 9, 10 / 9, 10 / 9]);
  });

  it('is nearer to the mean than any other that conflicts with none', () => {
    fc.assert(
      fc.property(jacobians, (jacobian) => {
        const { update } = integrateMatrix(dualproj(), jacobian);
        const mean = jacobian[0]!.map(
          (_, c) => jacobian.reduce((sum, row) => sum + row[c]!, 0) / jacobian.length,
        );
        // The residual, a cone combination of gradients, is orthogonal to the projection (Moreau).
        const residual = mean.map((value, c) => update[c]! - value);
        const size = Math.max(...jacobian.map((row) => dot(row, row)));
        expect(Math.abs(dot(residual, update))).toBeLessThanOrEqual(1e-8 * size * 10);
      }),
    );
  });

  it('is the weighted mean without conflict', () => {
    const { weights } = integrateMatrix(dualproj({ preference: { '1': 3 } }), [
      [1, 0],
      [1, 1],
    ]);
    expectVector(weights, [0.5, 3], 0);
  });

  itEndsAtStationaryGradients(dualproj);

  it('describes itself', () => {
    expect(plugin.create().name).toBe(plugin.name);
    expect(() => dualproj({ preference: { a: -1 } })).toThrow(
      '`preference.a` of `dualproj` should',
    );
  });
});
