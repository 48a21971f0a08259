import { integrateMatrix, type MemoryRows } from '@multigrad/core/strategy';
import { expectVector } from '@multigrad/test-support';
import { describe, expect, it } from 'vitest';
import { excessMtl, type ExcessMtlState } from './index.ts';

interface Progress {
  readonly state?: ExcessMtlState;
  readonly memory?: MemoryRows;
}

const strategy = excessMtl({ stepSize: 0.5 });

function step(
  rows: readonly number[][],
  { state, memory }: Progress = {},
  objectives = rows.map((_, k) => 'abc'[k]!),
) {
  const result = integrateMatrix(strategy, rows, {
    objectives,
    ...(state === undefined ? {} : { state }),
    ...(memory === undefined ? {} : { memory }),
  });
  const json = JSON.stringify(result.state);
  return { ...result, state: JSON.parse(json) as ExcessMtlState, memory: result.memory! };
}

describe('excessMtl', () => {
  it('weighs by excess risks over the first ones', () => {
    const first = step([
      [3, -4],
      [1, 2],
    ]);
    expectVector(first.weights, [1, 1], 0);
    expectVector(first.memory.get('a')!, [3, 4], 0);
    const second = step(
      [
        [4, 3],
        [1, 0],
      ],
      first,
    );
    // Σ g² / √S: first |g| summed, then with S of both steps.
    const risks = [16 / 5 + 9 / 5, 1 / Math.SQRT2];
    const powers = [Math.exp((0.5 * risks[0]!) / 7), Math.exp((0.5 * risks[1]!) / 3)];
    const total = powers[0]! + powers[1]!;
    expectVector(
      second.weights,
      powers.map((power) => (2 * power) / total),
      1e-14,
    );
    expectVector(second.memory.get('b')!, [Math.SQRT2, 2], 1e-14);
  });

  it('keeps the weight of an objective that is absent, or whose gradients are zero', () => {
    const first = step([[3], [1], [0]]);
    expect(first.state.first['c']).toBeUndefined();
    const second = step([[1], [0]], first, ['a', 'c']);
    expect(second.state.logarithms['b']).toBe(first.state.logarithms['b']);
    expect([...second.memory.get('b')!]).toEqual([1]);
    // Nothing is known of c yet: its part only shrinks as a's grows.
    expect(second.weights[0]! + second.weights[1]!).toBeCloseTo(2, 14);
    expect(second.weights[0]! / second.weights[1]!).toBeCloseTo(
      Math.exp((0.5 * 1) / Math.sqrt(10) / 3),
      14,
    );
    const third = step([[2], [5]], second, ['a', 'c']);
    expect(third.state.first['c']).toBeCloseTo(5, 14);
  });

  it('stays finite for long runs, tiny and huge gradients', () => {
    let progress = step([[1e-150], [1e150]]);
    for (let count = 0; count < 50; count += 1) progress = step([[1e-150], [1e150]], progress);
    expect(progress.weights.every(Number.isFinite)).toBe(true);
    // Both shrink alike, whatever their scale.
    expectVector(progress.weights, [1, 1], 1e-12);
  });

  it('refuses options out of range', () => {
    expect(() => excessMtl({ stepSize: -1 })).toThrow(
      'Option `stepSize` of `excess-mtl` should be',
    );
  });
});
