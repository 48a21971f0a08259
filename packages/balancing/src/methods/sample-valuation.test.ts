import { describe, expect, it } from 'vitest';
import { describeBalancing } from '../testing/conformance.ts';
import { plugin, sampleValuation } from './sample-valuation.ts';

describeBalancing({ plugin, options: { warmUp: '1' } });

describe('the samples of an epoch', () => {
  // 40 samples: the first ten are drawn again with `a` alone, twice each, the last ten with `b` alone, once each.
  const count = 40;
  const again = {
    a: Array.from({ length: count }, (_, i) => (i < 10 ? 2 : 0)).join(''),
    b: Array.from({ length: count }, (_, i) => (i < 30 ? 0 : 1)).join(''),
  };
  const drawn = (epoch: number, seed = 0): { position: number; a: number; b: number }[] => {
    const method = sampleValuation({ seed });
    const { positions, masks } = method.draw!(epoch, count, { again, contributions: {} })!;
    return Array.from(positions, (position, i) => ({
      position,
      a: masks!['a']![i]!,
      b: masks!['b']![i]!,
    }));
  };

  it('are each sample whole, and those drawn again with one modality', () => {
    const all = drawn(5);
    const positions = (a: number, b: number): number[] =>
      all
        .filter((one) => one.a === a && one.b === b)
        .map(({ position }) => position)
        .sort((one, other) => one - other);
    expect(positions(1, 1)).toEqual(Array.from({ length: count }, (_, i) => i));
    expect(positions(1, 0)).toEqual(Array.from({ length: 20 }, (_, i) => Math.floor(i / 2)));
    expect(positions(0, 1)).toEqual(Array.from({ length: 10 }, (_, i) => 30 + i));
    expect(all).toHaveLength(count + 30);
  });

  it('come mixed, in an order of the epoch and the seed', () => {
    const whole = (all: ReturnType<typeof drawn>): string =>
      all.map(({ a, b }) => (a + b === 2 ? 'w' : a === 1 ? 'a' : 'b')).join('');
    expect(drawn(5)).toEqual(drawn(5));
    expect(drawn(6)).not.toEqual(drawn(5));
    expect(drawn(5, 1)).not.toEqual(drawn(5));
    // Of 70 draws in a fair order, no half is without whole samples, or without samples of one modality.
    const [first, second] = [whole(drawn(5)).slice(0, 35), whole(drawn(5)).slice(35)];
    for (const half of [first, second]) expect(new Set(half)).toEqual(new Set('wab'));
  });
});
