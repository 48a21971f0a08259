import { integrateMatrix, type IntegratedMatrix } from '@multigrad/core/strategy';
import { expectVector, steep } from '@multigrad/test-support';
import { describe, expect, it } from 'vitest';
import { gradnorm, type GradnormState, plugin } from './index.ts';

describe('gradnorm', () => {
  it('does what its equations say, step by step', () => {
    const lengths = [3, 1];
    const lossesAt = (step: number): number[] => [2 - 0.3 * step, 4 - 0.1 * step];
    let c = [1, 1];
    let last: IntegratedMatrix<GradnormState> | undefined;
    for (let step = 0; step < 5; step += 1) {
      const losses = lossesAt(step);
      last = integrateMatrix(
        gradnorm({ alpha: 1, learningRate: 0.1 }),
        [
          [3, 0],
          [0, 1],
        ],
        {
          losses,
          ...(last === undefined
            ? {}
            : { state: JSON.parse(JSON.stringify(last.state)) as GradnormState }),
        },
      );
      expectVector(last.weights, c, 1e-12);
      const rates = losses.map((loss, k) => loss / lossesAt(0)[k]!);
      const meanRate = (rates[0]! + rates[1]!) / 2;
      const weighted = c.map((own, k) => own * lengths[k]!);
      const mean = (weighted[0]! + weighted[1]!) / 2;
      const moved = c.map(
        (own, k) =>
          own - (0.1 * Math.sign(weighted[k]! - (mean * rates[k]!) / meanRate) * lengths[k]!) / 2,
      );
      const total = moved[0]! + moved[1]!;
      c = moved.map((value) => (2 * value) / total);
    }
    expect(last!.weights[0]!).toBeLessThan(last!.weights[1]!);
  });

  it('brings gradients to one length with alpha 0', () => {
    const strategy = gradnorm({ alpha: 0, learningRate: 0.005 });
    let last = integrateMatrix(
      strategy,
      [
        [3, 0],
        [0, 1],
      ],
      { losses: [1, 1] },
    );
    for (let step = 0; step < 300; step += 1) {
      last = integrateMatrix(
        strategy,
        [
          [3, 0],
          [0, 1],
        ],
        { losses: [1, 1], state: last.state },
      );
    }
    expect(last.weights[0]! * 3).toBeCloseTo(last.weights[1]!, 1);
    expect(last.weights[0]! + last.weights[1]!).toBeCloseTo(2, 12);
  });

  it('has the same weights at every scale, and finite ones at zero', () => {
    const next = (rows: readonly number[][]) =>
      Object.values(integrateMatrix(gradnorm(), rows, { losses: [1, 2] }).state).map(
        ({ weight }) => weight,
      );
    const plain = next(steep);
    for (const scale of [1e-150, 1e-15, 1e15, 1e150]) {
      expectVector(next(steep.map((row) => row.map((value) => value * scale))), plain, 1e-12);
    }
    expect(
      next([
        [0, 0],
        [0, 0],
      ]),
    ).toEqual([1, 1]);
    expect(
      next([
        [0, 0],
        [1, 0],
      ]).every((weight) => weight > 0),
    ).toBe(true);
    // Far too large a step: the weight stops above zero.
    const { state } = integrateMatrix(
      gradnorm({ learningRate: 100 }),
      [
        [3, 0],
        [0, 1],
      ],
      { losses: [1, 1] },
    );
    expect(state['0']!.weight).toBeGreaterThan(0);
  });

  it('keeps the weight of an absent objective, and shares the sum among the present', () => {
    const state: GradnormState = { a: { weight: 0.5, first: 1 }, b: { weight: 1.5, first: 1 } };
    const alone = integrateMatrix(gradnorm(), [[1, 2]], { objectives: ['a'], losses: [3], state });
    expect([...alone.weights]).toEqual([1]);
    expect(alone.state['b']).toEqual({ weight: 1.5, first: 1 });
  });

  it('refuses losses that it cannot divide by', () => {
    expect(() =>
      integrateMatrix(gradnorm(), steep, { objectives: ['a', 'b'], losses: [0, 1] }),
    ).toThrow(
      'The loss of objective `a` should be > 0, because `gradnorm` divides by it. Found 0.',
    );
    expect(plugin.create().name).toBe(plugin.name);
  });
});
