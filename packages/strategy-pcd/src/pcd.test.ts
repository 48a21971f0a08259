import {
  createStrategy,
  gramianOf,
  groupGradients,
  innerProducts,
  integrateMatrix,
  norms,
} from '@multigrad/core/strategy';
import { dot, expectVector, norm, problem, steep } from '@multigrad/test-support';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pcd, plugin } from './index.ts';

describe('pcd', () => {
  it('has the closed form of two objectives', () => {
    // Unit gradients at first: cos = −22 / (√18 √38), and μ = τ − cos.
    const tau = 0.3;
    const { update } = integrateMatrix(pcd({ tau }), steep);
    const [a, b] = steep.map((row) => row.map((value) => value / norm(row)));
    const mu = tau - dot(a!, b!);
    const direction = a!.map((value, c) => value + mu * b![c]!);
    expectVector(
      update,
      direction.map((value) => (value * norm(steep[0]!)) / norm(direction)),
      1e-12,
    );
  });

  it('keeps the primary gradient where it gives the others enough', () => {
    const jacobian = [
      [2, 0],
      [1, 1],
    ];
    expectVector(integrateMatrix(pcd(), jacobian).update, [2, 0], 1e-15);
    expectVector(integrateMatrix(pcd({ primary: '1' }), jacobian).update, [1, 1], 1e-15);
  });

  it('gives every secondary objective its share, along a direction nearest to the primary gradient', () => {
    const row = fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 8, maxLength: 8 });
    const cases = fc.record({
      jacobian: fc.array(row, { minLength: 2, maxLength: 6 }),
      tau: fc.constantFrom(0.02, 0.5, 1),
    });
    fc.assert(
      fc.property(cases, ({ jacobian, tau }) => {
        if (jacobian.some((each) => norm(each) === 0)) return;
        const { weights, update, note } = integrateMatrix(pcd({ tau }), jacobian);
        if (note === 'infeasible') return;
        const gramian = gramianOf(jacobian);
        const lengths = norms(gramian);
        expect(norm([...update])).toBeCloseTo(lengths[0]!, 8);
        // d of the paper has the factor 1 on the unit primary gradient.
        const factor = 1 / (weights[0]! * lengths[0]!);
        const gains = innerProducts(gramian, weights);
        for (let j = 1; j < jacobian.length; j += 1) {
          const slack = (gains[j]! * factor) / lengths[j]! - tau;
          expect(slack).toBeGreaterThan(-1e-8 * (1 + factor * lengths[0]!));
          expect(weights[j]!).toBeGreaterThanOrEqual(0);
          // A secondary gradient takes part only where its share binds.
          expect(weights[j]! * lengths[j]! * factor * slack).toBeLessThan(
            1e-6 * (1 + factor ** 2 * lengths[0]! ** 2),
          );
        }
      }),
      { numRuns: 500 },
    );
  });

  it('drops secondary objectives that point against each other, also with rounding in between', () => {
    const opposite = [
      [1, 2],
      [1, 0],
      [-1, 0],
    ];
    const { update, note } = integrateMatrix(pcd(), opposite);
    expect(note).toBe('infeasible');
    expectVector(update, [1, 2], 1e-15);
    const error = 2 ** -22;
    const gramian = gramianOf(opposite);
    const rounded = Float64Array.from(gramian.values, (value, at) =>
      at === 5 || at === 7 ? value * (1 - error / 2) : value,
    );
    const group = groupGradients({
      objectives: ['a', 'b', 'c'],
      gramian: { size: 3, values: rounded, relativeError: error },
    });
    expect(pcd().integrate(group, { primary: 'a', lengths: {} }).note).toBe('infeasible');
  });

  it('stands still at the Pareto endpoint of τ = 0, without a primary gradient and without a primary objective', () => {
    const opposite = [
      [1, 1],
      [-2, -2],
    ];
    expect(integrateMatrix(pcd({ tau: 0 }), opposite).note).toBe('stationary');
    expect(
      integrateMatrix(pcd(), [
        [0, 0],
        [1, 0],
      ]).note,
    ).toBe('stationary');
    const strategy = pcd({ primary: 'a' });
    const state = strategy.init({ key: 'group', objectives: ['a', 'b', 'c'], tensors: [] });
    const absent = integrateMatrix(strategy, opposite, { objectives: ['b', 'c'], state });
    expect(absent.note).toBe('no primary');
    expect([...absent.update]).toEqual([0, 0]);
  });

  it('refuses a primary objective that a group does not have', () => {
    const strategy = createStrategy(plugin, { primary: 'tusk' });
    expect(
      problem('invalid-objective', () =>
        strategy.init({ key: 'group', objectives: ['task', 'size'], tensors: [] }),
      ),
    ).toBe(
      'Option `primary` of `pcd` names the objective `tusk`, which a group does not have. Did you mean `task`? Its objectives: `task`, `size`.',
    );
  });
});
