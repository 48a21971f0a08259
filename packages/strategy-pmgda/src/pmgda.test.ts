import { gramianOf, innerProducts, integrateMatrix } from '@multigrad/core/strategy';
import { expectVector, steep } from '@multigrad/test-support';
import { describe, expect, it } from 'vitest';
import { pmgda } from './index.ts';

const orthogonal = [
  [1, 0],
  [0, 1],
];

describe('pmgda', () => {
  it('has the values by hand', () => {
    // h = 1 / √2 and ∇h = (−1, 1) / √2. Of the hull of (1, 0), (0, 1) and ∇h the point with ⟨u, ∇h⟩ >= 0.95 and the greatest
    // min(u_1, u_2) lies between (0, 1) and ∇h, where the share of ∇h is x: 1/√2 + x (1 − 1/√2) = 0.95.
    const { weights, diagnostics } = integrateMatrix(pmgda(), orthogonal, { losses: [1, 2] });
    const x = (0.95 - Math.SQRT1_2) / (1 - Math.SQRT1_2);
    expectVector(weights, [-x * Math.SQRT1_2, x * Math.SQRT1_2 + 1 - x], 1e-12);
    expect(diagnostics!['distance']).toBeCloseTo(Math.SQRT1_2, 15);
  });

  it('is MGDA on the ray, and where nothing leads to it', () => {
    const onRay = integrateMatrix(pmgda({ preference: { 0: 1, 1: 2 } }), steep, { losses: [1, 2] });
    expectVector(onRay.weights, [0.6, 0.4], 1e-12);
    expect(onRay.note).toBe('prediction');
    // The distance from the ray does not change along any direction: both gradients are the same.
    const same = integrateMatrix(pmgda(), [steep[0]!, steep[0]!], { losses: [1, 2] });
    expect(same.note).toBe('prediction');
    const none = integrateMatrix(pmgda(), [[0], [0]], { losses: [1, 2] });
    expect(none.note).toBe('stationary');
    expect([...none.weights]).toEqual([0, 0]);
  });

  it('approaches the ray at the rate that it is asked for, and descends most within that', () => {
    for (const sigma of [0, 0.3, 0.95, 1]) {
      const { weights, update } = integrateMatrix(pmgda({ sigma }), steep, { losses: [1, 2] });
      const gains = innerProducts(gramianOf(steep), weights);
      // ∇h = (g_2 − g_1) / √2 = (10, 0, 0) / √2.
      expect(update[0]!).toBeGreaterThanOrEqual(sigma - 1e-12);
      expect(Math.hypot(...update)).toBeLessThanOrEqual(1 + 1e-12);
      if (sigma === 0) expect(Math.min(...gains)).toBeGreaterThan(0);
    }
  });

  it('ends where the ray meets the Pareto front', () => {
    // L_k = 1 − exp(−|x ∓ c|²): the front is the segment between the two centres.
    const centre = Math.SQRT1_2;
    const lossesAt = (point: readonly number[]): number[] =>
      [centre, -centre].map((c) => 1 - Math.exp(-((point[0]! - c) ** 2 + (point[1]! - c) ** 2)));
    for (const slow of [0.25, 1, 4]) {
      let x = [0.6, -0.9];
      const strategy = pmgda({ preference: { 0: slow, 1: 1 } });
      for (let step = 0; step < 4000; step += 1) {
        const losses = lossesAt(x);
        const jacobian = [centre, -centre].map((c, k) =>
          x.map((value) => 2 * (value - c) * (1 - losses[k]!)),
        );
        const { update } = integrateMatrix(strategy, jacobian, { losses });
        x = x.map((value, at) => value - 0.01 * update[at]!);
      }
      const [first, second] = lossesAt(x);
      expect(first! / second! / slow).toBeCloseTo(1, 1);
      expect(Math.abs(x[0]! - x[1]!)).toBeLessThan(0.05);
    }
  });

  it('does not change with the unit of the losses while it corrects', () => {
    const plain = integrateMatrix(pmgda(), steep, { losses: [1, 2] });
    const other = integrateMatrix(
      pmgda(),
      steep.map((row) => row.map((value) => value * 1e9)),
      { losses: [1e9, 2e9] },
    );
    expectVector(other.update, [...plain.update], 1e-12);
  });
});
