import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addGramians, cosine, gramianOf, norms } from './gramian-of.ts';

const entry = fc.integer({ min: -1000, max: 1000 });
const jacobians = fc
  .tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 12 }))
  .chain(([rows, columns]) =>
    fc.array(fc.array(entry, { minLength: columns, maxLength: columns }), {
      minLength: rows,
      maxLength: rows,
    }),
  );

describe('gramianOf', () => {
  it('is the matrix of inner products', () => {
    expect([
      ...gramianOf([
        [-4, 1, 1],
        [6, 1, 1],
      ]).values,
    ]).toEqual([18, -22, -22, 38]);
    expect([...gramianOf([Float32Array.of(3, 4)]).values]).toEqual([25]);
    expect([...gramianOf([Float64Array.of(3, 4), [1, 1]]).values]).toEqual([25, 7, 7, 2]);
  });

  it('stays within its stated error of the exact products', () => {
    const exact = (a: readonly number[], b: readonly number[]): bigint =>
      a.reduce((sum, value, c) => sum + BigInt(value) * BigInt(b[c]!), 0n);
    // Integers of up to 53 bits: the products have no rounding in BigInt.
    const wide = fc.bigInt({ min: -(2n ** 53n), max: 2n ** 53n }).map(Number);
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }).chain((columns) =>
          fc.array(fc.array(wide, { minLength: columns, maxLength: columns }), {
            minLength: 2,
            maxLength: 2,
          }),
        ),
        (jacobian) => {
          const { values, relativeError } = gramianOf(jacobian);
          const [a, b] = jacobian as [number[], number[]];
          const error = Math.abs(Number(BigInt(values[1]!) - exact(a, b)));
          const product = Math.sqrt(Number(exact(a, a))) * Math.sqrt(Number(exact(b, b)));
          expect(error).toBeLessThanOrEqual(relativeError * product);
        },
      ),
    );
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

  it('scales with the rows by powers of two to the last bit', () => {
    fc.assert(
      fc.property(jacobians, fc.constantFrom(-490, -50, 50, 490), (jacobian, exponent) => {
        const factor = 2 ** exponent;
        const scaled = gramianOf(jacobian.map((row) => row.map((value) => value * factor)));
        const expected = gramianOf(jacobian).values.map((value) => value * factor * factor);
        expect(scaled.values).toEqual(expected);
      }),
    );
  });

  it('takes a row too short for its square for zero in all its products', () => {
    for (const tiny of [5e-324, 1e-200, 1e-155]) {
      expect([...gramianOf([[tiny], [1e100]]).values]).toEqual([0, 0, 0, 1e200]);
    }
    const { values } = gramianOf([[1.6e-154], [1e100]]);
    expect(values[0]! / 1.6e-154 / 1.6e-154).toBeCloseTo(1, 14);
    expect(values[1]! / 1.6e-54).toBeCloseTo(1, 14);
  });

  it('has cosine 0 beside a zero row, and 1 of a row with itself', () => {
    const gramian = gramianOf([
      [0, 0],
      [1, 2],
    ]);
    expect(cosine(gramian, 0, 1)).toBe(0);
    expect(cosine(gramian, 0, 0)).toBe(0);
    expect(cosine(gramian, 1, 1)).toBe(1);
  });

  it('keeps cosines in −1 … 1 where rounding would leave them outside', () => {
    fc.assert(
      fc.property(fc.array(entry, { minLength: 1, maxLength: 9 }), entry, (row, factor) => {
        const c = cosine(gramianOf([row, row.map((value) => value * (factor / 7))]), 0, 1);
        expect(Math.abs(c)).toBeLessThanOrEqual(1);
        if (factor !== 0 && row.some((value) => value !== 0)) {
          expect(c).toBeCloseTo(Math.sign(factor), 12);
        }
      }),
    );
  });

  it('refuses rows of different length, no rows, NaN and what float64 cannot hold', () => {
    expect(() => gramianOf([[1, 2], [1]])).toThrow(/Found 2 in row 0 and 1 in row 1/);
    expect(() => gramianOf([])).toThrow(/at least one row/);
    expect(() => gramianOf([[1], [NaN]])).toThrow(/Found NaN in row 1, column 0/);
    expect(() => gramianOf([[1e200]])).toThrow(/representable.*Found Infinity/);
    expect(() => gramianOf([[Number.MAX_VALUE], [1]])).toThrow(/representable.*Found Infinity/);
  });
});

describe('addGramians', () => {
  it('gives the Gramian of the tensors laid side by side', () => {
    fc.assert(
      fc.property(jacobians, fc.nat(12), (jacobian, cut) => {
        const left = gramianOf(jacobian.map((row) => row.slice(0, cut)));
        const right = gramianOf(jacobian.map((row) => row.slice(cut)));
        const whole = addGramians(new Map(Object.entries({ left, right })).values());
        // Small integers: nothing rounds.
        expect(whole.values).toEqual(gramianOf(jacobian).values);
        expect(whole.size).toBe(jacobian.length);
      }),
    );
  });

  it('states the largest error and the rounding of its own sum', () => {
    const part = gramianOf([[1, 2]]);
    expect(addGramians([{ ...part, relativeError: 2 ** -22 }, part]).relativeError).toBe(
      2 ** -22 + 2 ** -53,
    );
    expect(addGramians([part]).relativeError).toBe(part.relativeError);
  });

  it('leaves its parts alone, and refuses none or those of different size', () => {
    const part = gramianOf([[1, 2]]);
    const sum = addGramians([part]);
    sum.values[0] = 7;
    expect(part.values[0]).toBe(5);
    expect(() => addGramians([])).toThrow(/at least one Gramian.*Found none/);
    expect(() => addGramians([part, gramianOf([[1], [2]])])).toThrow(/Found 1 and 2/);
  });
});
