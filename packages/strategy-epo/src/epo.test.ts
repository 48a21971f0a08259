import {
  createStrategy,
  gramianOf,
  innerProducts,
  integrateMatrix,
} from '@multigrad/core/strategy';
import { expectVector, problem, steep } from '@multigrad/test-support';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { epo, plugin } from './index.ts';

const names = ['speed', 'quality'];

describe('epo', () => {
  it('has the values by hand', () => {
    // r L = 1, 2: q = 1/3, 2/3 and a = −0.4621, 0.2310 (times r). ⟨g_1, Σ a g⟩ = −13.402, ⟨g_2, Σ a g⟩ = 18.947, so the
    // second gradient alone pulls most; ⟨g_1, u⟩ may be as low as −13.402.
    const { weights, note, diagnostics } = integrateMatrix(epo(), steep, { losses: [1, 2] });
    expect(note).toBeUndefined();
    const [first, second] = [Math.log(2 / 3), Math.log(4 / 3)];
    const mu = first / 3 + (2 * second) / 3;
    expect(diagnostics!['nonUniformity']).toBeCloseTo(mu, 15);
    const lowest = 18 * (first - mu) - 22 * (second - mu);
    // ⟨g_1, u⟩ = 18 w − 22 (1 − w), at its bound.
    const w = (lowest + 22) / 40;
    expectVector(weights, [w, 1 - w], 1e-14);
  });

  it('descends on all objectives where the losses are balanced', () => {
    const { weights, note } = integrateMatrix(epo({ preference: { speed: 2 } }), steep, {
      objectives: names,
      losses: [1, 2],
    });
    // max over w of Σ_k ⟨g_k, u⟩ where none is negative: −4 w + 16 (1 − w), w least where ⟨g_1, u⟩ = 40 w − 22 = 0.
    expect(note).toBe('descent');
    expectVector(weights, [0.55, 0.45], 1e-14);
  });

  it('keeps to what its linear programs ask for', () => {
    const row = (columns: number) =>
      fc.array(fc.integer({ min: -50, max: 50 }), { minLength: columns, maxLength: columns });
    const cases = fc
      .tuple(fc.integer({ min: 2, max: 6 }), fc.integer({ min: 2, max: 8 }))
      .chain(([rows, columns]) =>
        fc.record({
          jacobian: fc.array(row(columns), { minLength: rows, maxLength: rows }),
          losses: fc.array(fc.integer({ min: 1, max: 300 }), {
            minLength: rows,
            maxLength: rows,
          }),
          balanced: fc.boolean(),
        }),
      );
    const seen = new Set<string>();
    fc.assert(
      fc.property(cases, ({ jacobian, losses, balanced }) => {
        const given = balanced ? losses.map(() => 3) : losses;
        const { weights, note } = integrateMatrix(epo(), jacobian, { losses: given });
        seen.add(note ?? 'balance');
        expect(Math.min(...weights)).toBeGreaterThanOrEqual(0);
        expect(weights.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 10);
        const gains = innerProducts(gramianOf(jacobian), weights);
        const worst = Math.max(...given);
        gains.forEach((gain, k) => {
          // Neither the worst objective rises, nor any one while all descend.
          if (note === 'descent' || given[k] === worst) expect(gain).toBeGreaterThanOrEqual(-1e-7);
        });
      }),
      { numRuns: 500 },
    );
    expect(seen).toContain('descent');
    expect(seen).toContain('balance');
  });

  it('ends where the ray meets the Pareto front', () => {
    // L_k = 1 − exp(−|x ∓ c|²) with c = (1, 1) / √2: the front is the segment between the two centres.
    const centre = Math.SQRT1_2;
    for (const speed of [0.25, 1, 4]) {
      let x = [0.6, -0.9];
      const strategy = epo({ preference: { speed } });
      const lossesAt = (point: readonly number[]) =>
        [centre, -centre].map((c) => 1 - Math.exp(-((point[0]! - c) ** 2 + (point[1]! - c) ** 2)));
      for (let step = 0; step < 4000; step += 1) {
        const losses = lossesAt(x);
        const jacobian = [centre, -centre].map((c, k) =>
          x.map((value) => 2 * (value - c) * (1 - losses[k]!)),
        );
        const { update } = integrateMatrix(strategy, jacobian, { objectives: names, losses });
        x = x.map((value, at) => value - 0.01 * update[at]!);
      }
      const [first, second] = lossesAt(x);
      // Steps of constant length go to and fro across the ray by their own size.
      expect((speed * first!) / second!).toBeCloseTo(1, 1);
      expect(Math.abs(x[0]! - x[1]!)).toBeLessThan(0.03);
    }
  });

  it('refuses a loss that has no logarithm and preferences that are not positive', () => {
    expect(
      problem('invalid-objective', () =>
        integrateMatrix(epo(), steep, { objectives: names, losses: [1, 0] }),
      ),
    ).toBe(
      'The loss of objective `quality` should be > 0, because `epo` takes its logarithm. Found 0.',
    );
    expect(() => epo({ preference: { speed: 0 } })).toThrow(
      'Option `preference.speed` of `epo` should be a finite number > 0. Found 0.',
    );
  });

  it('answers losses and preferences of any size', () => {
    const { weights } = integrateMatrix(
      epo({ preference: { speed: 1e300, quality: 1e-300 } }),
      steep,
      {
        objectives: names,
        losses: [1e5, 1e-5],
      },
    );
    expect(weights.every(Number.isFinite)).toBe(true);
    expect(weights[0]! + weights[1]!).toBeCloseTo(1, 12);
  });
});

describe('plugin', () => {
  it('reads preferences by objective', () => {
    const strategy = createStrategy(plugin, { 'preference.speed': '2', relax: 'true' });
    const { note } = integrateMatrix(strategy, steep, { objectives: names, losses: [1, 2] });
    expect(note).toBe('descent');
  });
});
