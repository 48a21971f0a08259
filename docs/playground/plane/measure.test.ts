import { describe, expect, it } from 'vitest';
import { commonDescentCone } from './cone.ts';
import { type Measured, measure } from './measure.ts';
import { presets } from './presets.ts';
import { offeredStrategies, strategiesNamed } from './strategies.ts';
import { angle, length, type Vector } from './vectors.ts';

const gradientsOf = (id: string): readonly Vector[] =>
  presets.find((preset) => preset.id === id)!.gradients;

function measured(strategy: string, preset: string): Measured {
  const result = measure(strategiesNamed([strategy])[0]!, gradientsOf(preset));
  if ('reason' in result) throw new Error(result.reason);
  return result;
}

describe('measure', () => {
  it.each(offeredStrategies.flatMap((strategy) => presets.map((preset) => ({ strategy, preset }))))(
    'says what $strategy.id makes of the preset $preset.id, or why it cannot',
    ({ strategy, preset }) => {
      const result = measure(strategy, preset.gradients);
      if ('reason' in result) {
        expect(preset.id).toBe('stationary');
        return;
      }
      const { update, weights, products } = result;
      for (const c of [0, 1] as const) {
        // One weight for both coordinates, or one for each.
        const total = preset.gradients.reduce(
          (sum, gradient, k) => sum + (weights[k]![c] ?? weights[k]![0]!) * gradient[c],
          0,
        );
        expect(update[c]).toBeCloseTo(total, 10);
      }
      expect(products).toHaveLength(preset.gradients.length);
    },
  );

  it('shows what the presets promise', () => {
    const [paper, conflict, agreement] = ['paper', 'conflict', 'agreement'] as const;
    expect(measured('sum', paper).worse).toEqual(['A']);
    expect(measured('mgda', paper).worse).toEqual([]);
    expect(measured('mmpareto', paper).worse).toEqual([]);
    const sumLength = measured('sum', paper).length;
    expect(measured('mgda', paper).length).toBeLessThan(sumLength / 2);
    expect(measured('mmpareto', paper).length).toBeCloseTo(1.5 * sumLength, 10);
    expect(angle(measured('mmpareto', paper).update)).toBeCloseTo(
      angle(measured('mgda', paper).update),
      10,
    );

    const [a, b] = gradientsOf(conflict) as [Vector, Vector];
    expect(length(a) / length(b)).toBeCloseTo(1, 1);
    expect(measured('sum', conflict).worse).toEqual([]);

    expect(measured('pcgrad', agreement).update).toEqual(measured('sum', agreement).update);
    measured('upgrad', agreement).update.forEach((value, c) =>
      expect(value).toBeCloseTo(measured('sum', agreement).update[c]! / 2, 10),
    );
    expect(measured('mmpareto', agreement).length).toBeCloseTo(
      1.5 * measured('sum', agreement).length,
      10,
    );

    const { from, to } = commonDescentCone(gradientsOf('opposite'))!;
    expect(to - from).toBeLessThan(0.3);

    expect(commonDescentCone(gradientsOf('stationary'))).toBeNull();
    for (const stops of ['mgda', 'mmpareto'])
      expect(measured(stops, 'stationary').length).toBeLessThan(1e-9);
    expect(measured('sum', 'stationary').length).toBeGreaterThan(0.1);
  });

  it('gives the coordinates as two tensors to MMPareto by tensor', () => {
    expect(measured('mmpareto', 'paper').weights.map(({ length: count }) => count)).toEqual([1, 1]);
    const byTensor = measured('mmpareto-tensor', 'paper');
    expect(byTensor.weights.map(({ length: count }) => count)).toEqual([2, 2]);
    // Each coordinate has the length of its summed gradient, times 1.5.
    measured('sum', 'paper').update.forEach((value, c) =>
      expect(Math.abs(byTensor.update[c]!)).toBeCloseTo(1.5 * Math.abs(value), 10),
    );
  });

  it('gives the reason where a strategy has no answer', () => {
    const refusing = offeredStrategies
      .map((strategy) =>
        measure(strategy, [
          [Number.NaN, 1],
          [1, 0],
        ]),
      )
      .filter((result) => 'reason' in result);
    expect(refusing.map(({ strategy }) => strategy.id)).toContain('mgda');
    for (const { reason } of refusing) expect(reason).toMatch(/NaN/);
  });
});
