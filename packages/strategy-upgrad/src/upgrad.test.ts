import { integrateMatrix } from '@multigrad/core/strategy';
import { pcgrad } from '@multigrad/strategy-pcgrad';
import {
  expectVector,
  itEndsAtStationaryGradients,
  jacobians,
  steep,
} from '@multigrad/test-support';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { plugin, upgrad } from './index.ts';

describe('upgrad', () => {
  it('has the published value', () => {
    expectVector(
      integrateMatrix(upgrad(), steep).update,
      [0.2923976608, 1.9005847953, 1.9005847953],
    );
  });

  it('is half of PCGrad for two objectives', () => {
    fc.assert(
      fc.property(jacobians, (jacobian) => {
        const two = jacobian.slice(0, 2);
        const half = integrateMatrix(pcgrad(), two).weights.map((weight) => weight / 2);
        const { weights } = integrateMatrix(upgrad(), two);
        weights.forEach((weight, k) => {
          expect(Math.abs(weight - half[k]!)).toBeLessThanOrEqual(1e-12 * Math.abs(half[k]!));
        });
      }),
    );
  });

  it('is the weighted mean without conflict', () => {
    const rows = [
      [1, 0],
      [0, 3],
      [1, 1],
    ];
    expectVector(integrateMatrix(upgrad(), rows).weights, [1 / 3, 1 / 3, 1 / 3], 1e-15);
    const preference = { '0': 2, '2': 0 };
    expectVector(integrateMatrix(upgrad({ preference }), rows).weights, [2, 1 / 3, 0], 1e-15);
  });

  it('scales the own projection alone with a gradient', () => {
    const rows = [
      [1, 2, 0],
      [-3, 1, 1],
      [0, -1, 2],
    ];
    const update = (factor: number) =>
      integrateMatrix(upgrad(), [rows[0]!.map((value) => value * factor), rows[1]!, rows[2]!])
        .update;
    const [one, two, three] = [update(1), update(2), update(3)];
    three.forEach((value, c) => expect(value - two![c]!).toBeCloseTo(two![c]! - one![c]!, 12));
  });

  itEndsAtStationaryGradients(upgrad);

  it('describes itself', () => {
    expect(plugin.create().name).toBe(plugin.name);
    expect(() => upgrad({ preference: { a: -1 } })).toThrow('`preference.a` of `upgrad` should be');
  });
});
