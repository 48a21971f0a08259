import { describe, expect, it } from 'vitest';
import { offeredStrategies, strategiesNamed } from '../plane/strategies.ts';
import type { Vector } from '../plane/vectors.ts';
import { type Descent, descend, startAt } from './descent.ts';
import { noMoments, type Rule, stepOf } from './rules.ts';
import { gradientsAt } from './two-valleys.ts';

const adam: Rule = { kind: 'adam', rate: 0.05 };

function run(id: string, from: Vector, rule: Rule, steps: number): Descent {
  const offered = strategiesNamed([id])[0]!;
  const strategy = offered.make();
  let descent = startAt(from);
  for (let step = 0; step < steps; step += 1) descent = descend(descent, strategy, offered, rule);
  return descent;
}

describe('rules', () => {
  it('make Adam’s first step as long as the rate, whatever the update', () => {
    const { change } = stepOf(adam, [1e-3, -40], noMoments, 0);
    expect(change[0]).toBeCloseTo(-0.05, 6);
    expect(change[1]).toBeCloseTo(0.05, 6);
  });

  it('keep Adam’s means', () => {
    // Twice by hand: m = 0.1 · 1, then 0.9 · 0.1 + 0.1 · 2 = 0.29; v = 0.001, then 0.000999 + 0.004 = 0.004999.
    const one = stepOf(adam, [1, 0], noMoments, 0);
    const two = stepOf(adam, [2, 0], one.moments, 1);
    expect(two.moments.first[0]).toBeCloseTo(0.29, 12);
    expect(two.moments.second[0]).toBeCloseTo(0.004999, 12);
    const expected = (-0.05 * (0.29 / 0.19)) / Math.sqrt(0.004999 / (1 - 0.999 ** 2));
    expect(two.change[0]).toBeCloseTo(expected, 8);
  });
});

describe('descend', () => {
  it('steps against the update', () => {
    const from: Vector = [2, -3];
    const [a, b] = gradientsAt(from);
    const { point, steps } = run('sum', from, { kind: 'sgd', rate: 0.1 }, 1);
    expect(steps).toBe(1);
    expect(point[0]).toBeCloseTo(2 - 0.1 * (a[0] + b[0]), 12);
    expect(point[1]).toBeCloseTo(-3 - 0.1 * (a[1] + b[1]), 12);
  });

  it('shows that strategies differ: from here MGDA is in the shared valley while the sum is on its way', () => {
    const slow: Rule = { kind: 'adam', rate: 0.01 };
    const [arrived, late] = ['mgda', 'sum'].map((id) => run(id, [9, 9], slow, 2700));
    expect(arrived!.point[1]).toBeLessThan(-7);
    expect(late!.point[1]).toBeGreaterThan(-7);
  });

  it.each(offeredStrategies.map(({ id }) => id))('carries %s through 200 steps', (id) => {
    const { steps, end } = run(id, [9, 9], adam, 200);
    expect([steps, end]).toEqual([200, undefined]);
  });

  it('ends where a step leaves the plane, and stays there', () => {
    const away = run('sum', [-8.5, 7.5], { kind: 'sgd', rate: 1e6 }, 50);
    expect(away.end).toMatch(/left the plane/);
    expect(away.steps).toBeLessThan(50);
    expect(away.point.every(Number.isFinite)).toBe(true);
  });
});
