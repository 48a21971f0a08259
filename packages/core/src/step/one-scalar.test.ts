import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type GroupWeights, oneScalar } from './one-scalar.ts';

const group = (key: string, entries: Readonly<Record<number, number>>): GroupWeights => ({
  key,
  objectives: Object.keys(entries).map(Number),
  weights: Float64Array.from(Object.values(entries)),
});

function expectExpressed(groups: readonly GroupWeights[], size: number): void {
  const found = oneScalar(groups, size);
  expect(found).not.toBeNull();
  for (const { key, objectives, weights } of groups) {
    objectives.forEach((objective, k) => {
      const product = found!.factors.get(key)! * found!.weights[objective]!;
      expect(Math.abs(product - weights[k]!)).toBeLessThanOrEqual(1e-14 * Math.abs(weights[k]!));
    });
  }
}

describe('oneScalar', () => {
  it('is the weights where one group has all objectives, and divides for the heads', () => {
    const groups = [group('trunk', { 0: 0.25, 1: -3 }), group('a', { 0: 1 }), group('b', { 1: 1 })];
    const { weights, factors } = oneScalar(groups, 2)!;
    expect([...weights]).toEqual([0.25, -3]);
    expect([...factors]).toEqual([
      ['trunk', 1],
      ['a', 4],
      ['b', -1 / 3],
    ]);
  });

  it('matches groups that share an objective, as two encoders of a multimodal network do', () => {
    expectExpressed([group('image', { 0: 2, 1: 3 }), group('audio', { 0: 5, 2: 0.5 })], 3);
  });

  it('takes any weights of groups that form a tree', () => {
    const weight = fc.double({ min: 0.01, max: 10, noNaN: true });
    fc.assert(
      fc.property(fc.array(weight, { minLength: 12, maxLength: 12 }), (w) => {
        const groups = [
          group('x', { 0: w[0]!, 1: w[1]! }),
          group('y', { 1: w[2]!, 2: -w[3]!, 3: w[4]! }),
          group('z', { 3: w[5]!, 4: w[6]! }),
          ...[0, 1, 2, 3, 4].map((k) => group(`head ${k}`, { [k]: 1 })),
        ];
        expectExpressed(groups, 5);
      }),
    );
  });

  it('stops a group of zero weights without stopping its heads', () => {
    expectExpressed(
      [group('trunk', { 0: 0, 1: 0 }), group('a', { 0: 1 }), group('b', { 1: 1 })],
      2,
    );
  });

  it.each([
    ['two proportions', [group('x', { 0: 1, 1: 1 }), group('y', { 0: 1, 1: 2 })]],
    ['a weight of zero with a head', [group('x', { 0: 1, 1: 0 }), group('b', { 1: 1 })]],
    ['a zero elsewhere', [group('x', { 0: 1, 1: 1 }), group('y', { 0: 1, 1: 0 })]],
    ['factors that cost digits', [group('x', { 0: 1, 1: 1e-9 }), group('b', { 1: 1 })]],
  ])('does not express %s', (_, groups) => {
    expect(oneScalar(groups, 2)).toBeNull();
  });
});
