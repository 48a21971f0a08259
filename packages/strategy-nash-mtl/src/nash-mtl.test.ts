import { groupGradients, integrateMatrix } from '@multigrad/core/strategy';
import { dot, expectVector, jacobians, steep } from '@multigrad/test-support';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nashMtl, type NashMtlState, plugin } from './index.ts';

describe('nashMtl', () => {
  it('has the published value', () => {
    const { update } = integrateMatrix(nashMtl(), steep);
    expectVector(update, [0.0541532697, 0.7060691975, 0.7060691975]);
  });

  it('balances weight and gain, and never exceeds the length', () => {
    fc.assert(
      fc.property(jacobians, (jacobian) => {
        const { weights, update, note } = integrateMatrix(nashMtl({ maxNorm: null }), jacobian);
        if (note === 'stationary') {
          expect([...weights]).toEqual(jacobian.map(() => 0));
          return;
        }
        jacobian.forEach((row, k) => {
          const terms = jacobian.reduce(
            (sum, other, j) => sum + Math.abs(weights[j]! * dot(row, other)),
            0,
          );
          expect(Math.abs(dot(update, row) - 1 / weights[k]!)).toBeLessThanOrEqual(1e-9 * terms);
        });
        const clipped = integrateMatrix(nashMtl({ maxNorm: 0.3 }), jacobian).update;
        expect(Math.sqrt(dot(clipped, clipped))).toBeLessThanOrEqual(0.3 * (1 + 1e-6));
      }),
    );
  });

  it('has the same update at every scale', () => {
    for (const scale of [1e-150, 1e-15, 1e15, 1e150]) {
      const { update } = integrateMatrix(
        nashMtl(),
        steep.map((row) => row.map((x) => x * scale)),
      );
      expectVector(update, [0.0541532697, 0.7060691975, 0.7060691975]);
    }
  });

  it('has a unit gradient of one objective, and none where there is no solution', () => {
    expectVector(integrateMatrix(nashMtl(), [[3, 4]]).update, [0.6, 0.8], 1e-14);
    for (const rows of [
      [
        [1, 2],
        [-1, -2],
      ],
      [
        [0, 0],
        [1, 2],
      ],
    ]) {
      const { weights, note } = integrateMatrix(nashMtl(), rows);
      expect([[...weights], note]).toEqual([[0, 0], 'stationary']);
    }
  });

  it('keeps weights for as many steps, by name, through JSON', () => {
    const strategy = nashMtl({ updateEvery: 3, maxNorm: null });
    const other = [
      [1, 0, 0],
      [0, 1, 5],
    ];
    let state: NashMtlState | undefined;
    const found = [steep, other, other, other].map((jacobian, step) => {
      const next = integrateMatrix(strategy, jacobian, {
        objectives: ['a', 'b'],
        ...(state === undefined ? {} : { state }),
      });
      state = JSON.parse(JSON.stringify(next.state)) as NashMtlState;
      expect(strategy.needsNow!(state).gradients).toBe(step % 3 === 2 ? 'gramian' : 'none');
      return [...next.weights];
    });
    expect(found[1]).toEqual(found[0]);
    expect(found[2]).toEqual(found[0]);
    expectVector(found[3]!, [1, 1 / Math.sqrt(26)], 1e-14);
    const kept: NashMtlState = { age: 1, weights: { a: 2, b: 4 } };
    const seen = groupGradients({ objectives: ['b', 'c'] });
    expect([...strategy.integrate(seen, kept).weights]).toEqual([4, 3]);
  });

  it('looks anew at the next step where it found none', () => {
    const opposite = [
      [1, 2, 0],
      [-1, -2, 0],
    ];
    const strategy = nashMtl({ updateEvery: 5, maxNorm: null });
    const first = integrateMatrix(strategy, opposite);
    expect([first.note, first.state]).toEqual(['stationary', { age: 0, weights: {} }]);
    const second = integrateMatrix(strategy, steep, { state: first.state });
    expectVector(second.weights, [...integrateMatrix(strategy, steep).weights], 0);
  });

  it('clips what it keeps by the gradients of the step', () => {
    const strategy = nashMtl({ updateEvery: 2 });
    const first = integrateMatrix(strategy, steep);
    const { update } = integrateMatrix(
      strategy,
      steep.map((row) => row.map((x) => 10 * x)),
      { state: first.state },
    );
    expect(Math.hypot(...update)).toBeCloseTo(1, 12);
    expect(strategy.needsNow!(first.state).gradients).toBe('gramian');
  });

  it('describes itself', () => {
    expect(plugin.create().name).toBe(plugin.name);
    expect(() => nashMtl({ updateEvery: 0 })).toThrow(
      'Option `updateEvery` of `nash-mtl` should be',
    );
  });
});
