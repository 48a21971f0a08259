import { integrateMatrix, type RandomState } from '@multigrad/core/strategy';
import { expectVector } from '@multigrad/test-support';
import { describe, expect, it } from 'vitest';
import { graddrop, plugin } from './index.ts';

describe('graddrop', () => {
  it('is the sum where signs agree, and zero where all entries are', () => {
    const rows = [
      [1, -2, 0, 5],
      [3, -1, 0, 0],
    ];
    for (let seed = 0; seed < 20; seed += 1) {
      expectVector(integrateMatrix(graddrop({ seed }), rows).update, [4, -3, 0, 5], 0);
    }
  });

  it('lets one sign pass, with the probability of its share', () => {
    const count = 4000;
    const rows = [1, 2, -1].map((value) => Array.from({ length: count }, () => value));
    const { update } = integrateMatrix(graddrop({ seed: 3 }), rows);
    const positive = update.filter((value) => value === 3).length;
    expect(update.filter((value) => value === -1).length).toBe(count - positive);
    // P = (1 + 2 / 4) / 2; within five standard deviations.
    expect(Math.abs(positive / count - 0.75)).toBeLessThan(5 * Math.sqrt((0.75 * 0.25) / count));
  });

  it('leaks what it is told to', () => {
    const rows = [[2], [-1]];
    const options = { objectives: ['a', 'b'] };
    const seen = new Set<number>();
    for (let seed = 0; seed < 20; seed += 1) {
      seen.add(integrateMatrix(graddrop({ seed, leak: { b: 0.25 } }), rows, options).update[0]!);
    }
    expect([...seen].sort()).toEqual([-1, 1.75]);
    expectVector(integrateMatrix(graddrop({ leak: { a: 1, b: 1 } }), rows, options).update, [1], 0);
  });

  it('draws anew at each step, by seed and tensor, and goes on from its state', () => {
    const rows = [1, -1].map((value) => Array.from({ length: 64 }, () => value));
    const first = integrateMatrix(graddrop({ seed: 1 }), rows);
    const again = integrateMatrix(graddrop({ seed: 1 }), rows);
    expect(again.update).toEqual(first.update);
    const state = JSON.parse(JSON.stringify(first.state)) as RandomState;
    const next = integrateMatrix(graddrop({ seed: 1 }), rows, { state });
    expect(next.update).not.toEqual(first.update);
    expect(integrateMatrix(graddrop({ seed: 2 }), rows).update).not.toEqual(first.update);
    const cut = integrateMatrix(graddrop({ seed: 1 }), rows, {
      tensors: [
        { name: 'x', size: 32 },
        { name: 'y', size: 32 },
      ],
    }).update;
    expect(cut.slice(0, 32)).not.toEqual(cut.slice(32));
  });

  it('refuses a leak above 1', () => {
    expect(() => graddrop({ leak: { a: 2 } })).toThrow(
      'Option `leak.a` of `graddrop` should be a number in 0 … 1. Found 2.',
    );
    expect(plugin.create().name).toBe(plugin.name);
  });
});
