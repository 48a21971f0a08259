import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cosine, gramianOf, norms } from './gramian-of.ts';

describe('gramianOf', () => {
  it('is the matrix of inner products', () => {
    expect([
      ...gramianOf([
        [-4, 1, 1],
        [6, 1, 1],
      ]).values,
    ]).toEqual([18, -22, -22, 38]);
    expect([...gramianOf([Float32Array.of(3, 4)]).values]).toEqual([25]);
  });

  it('keeps cosines at every scale at which the products exist', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -150, max: 150 }),
        fc.integer({ min: -150, max: 150 }),
        (a, b) => {
          const gramian = gramianOf([
            [10 ** a, 0],
            [10 ** b, 10 ** b],
          ]);
          expect(cosine(gramian, 0, 1)).toBeCloseTo(Math.SQRT1_2, 12);
          expect(norms(gramian)[0]! / 10 ** a).toBeCloseTo(1, 12);
        },
      ),
    );
  });

  it('has cosine 0 beside a zero row', () => {
    expect(
      cosine(
        gramianOf([
          [0, 0],
          [1, 2],
        ]),
        0,
        1,
      ),
    ).toBe(0);
  });

  it('refuses rows of different length, no rows, NaN and what float64 cannot hold', () => {
    expect(() => gramianOf([[1, 2], [1]])).toThrow(/Found 2 in row 0 and 1 in row 1/);
    expect(() => gramianOf([])).toThrow(/at least one row/);
    expect(() => gramianOf([[1], [NaN]])).toThrow(/Found NaN in row 1, column 0/);
    expect(() => gramianOf([[1e200]])).toThrow(/representable/);
  });
});
