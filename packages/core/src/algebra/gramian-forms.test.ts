import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  combineExactly,
  dotExactly,
  exactGradients,
  exactVector,
  nearestDouble,
} from '@multigrad/test-support';
import {
  dividedGramian,
  innerProduct,
  innerProducts,
  isZeroWithinError,
  partOfGramian,
  quadraticForm,
  roundingError,
  scaledGramian,
} from './gramian-forms.ts';
import { gramianOf, norms } from './gramian-of.ts';
import { minNormPoint } from './min-norm.ts';

const numbers = (length: number) =>
  fc.array(fc.integer({ min: -50, max: 50 }), { minLength: length, maxLength: length });
const cases = fc
  .tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 8 }))
  .chain(([size, columns]) =>
    fc.record({
      rows: fc.array(numbers(columns), { minLength: size, maxLength: size }),
      weights: numbers(size),
    }),
  );

describe('forms of a Gramian', () => {
  it('are those of the gradients, exactly for whole numbers', () => {
    fc.assert(
      fc.property(cases, ({ rows, weights }) => {
        const gramian = gramianOf(rows);
        const w = Float64Array.from(weights);
        const exact = exactGradients(rows);
        const combined = combineExactly(exact, exactVector(w));
        const products = innerProducts(gramian, w);
        exact.rows.forEach((row, k) => {
          expect(products[k]).toBe(nearestDouble(dotExactly(combined, row)));
          exact.rows.forEach((other, j) => {
            expect(innerProduct(gramian, k, j)).toBe(nearestDouble(dotExactly(row, other)));
          });
        });
        expect(quadraticForm(gramian, w)).toBe(nearestDouble(dotExactly(combined, combined)));
      }),
    );
  });

  it('are those of scaled, divided and chosen gradients', () => {
    fc.assert(
      fc.property(cases, ({ rows, weights }) => {
        const gramian = gramianOf(rows);
        const factors = Float64Array.from(weights, (weight) => weight || 3);
        const times = gramianOf(rows.map((row, k) => row.map((value) => value * factors[k]!)));
        scaledGramian(gramian, factors).values.forEach((value, at) =>
          expect(value).toBeCloseTo(times.values[at]!, 9),
        );
        const back = dividedGramian(times, factors);
        back.values.forEach((value, at) => expect(value).toBeCloseTo(gramian.values[at]!, 9));
        expect(back.relativeError).toBeGreaterThan(times.relativeError);
        const chosen = rows.map((_, k) => k).filter((k) => k % 2 === 0);
        const part = partOfGramian(gramian, chosen);
        expect([...part.values]).toEqual([...gramianOf(chosen.map((k) => rows[k]!)).values]);
        expect(part.relativeError).toBe(gramian.relativeError);
      }),
    );
  });
});

describe('isZeroWithinError', () => {
  it('decides by the rounding error and what was cancelled', () => {
    const gramian = { size: 4, values: new Float64Array(16), relativeError: 2 ** -20 };
    const error = roundingError(gramian);
    expect(error).toBe(2 ** -20 + 2 ** -48);
    expect(isZeroWithinError(gramian, 4 * error * 9, 3)).toBe(true);
    expect(isZeroWithinError(gramian, 4.0001 * error * 9, 3)).toBe(false);
    expect(isZeroWithinError(gramian, 0, 0)).toBe(true);
    expect(isZeroWithinError(gramian, Number.NaN, 1)).toBe(false);
  });

  it('is the rule of the min-norm point', () => {
    for (const gap of [1e-9, 1e-8, 3e-8, 3e-7, 1e-5, 1e-3]) {
      const gramian = gramianOf([
        [1, gap],
        [-1, gap],
        [-1, 2 * gap],
      ]);
      const { weights, squaredNorm, stationary } = minNormPoint(gramian);
      const uncancelled = norms(gramian).reduce((sum, length, k) => sum + length * weights[k]!, 0);
      expect(stationary).toBe(isZeroWithinError(gramian, squaredNorm, uncancelled));
      expect(stationary).toBe(gap < 1e-7);
    }
  });
});
