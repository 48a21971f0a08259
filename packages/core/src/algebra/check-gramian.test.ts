import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkGramian } from './check-gramian.ts';
import type { Gramian } from './gramian.ts';
import { gramianOf } from './gramian-of.ts';

const gramian = (values: readonly number[], relativeError = 1e-9): Gramian => ({
  size: Math.sqrt(values.length),
  values: Float64Array.from(values),
  relativeError,
});

describe('checkGramian', () => {
  it('takes every Gramian of numbers', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.integer({ min: -99, max: 99 }), { minLength: 3, maxLength: 3 }), {
          minLength: 1,
          maxLength: 5,
        }),
        (jacobian) => checkGramian(gramianOf(jacobian)),
      ),
    );
  });

  it('takes asymmetry within the stated error, at every scale, and no more', () => {
    for (const scale of [1e-300, 1, 1e300]) {
      const skewed = (off: number): Gramian =>
        gramian([4 * scale, scale * (1 + off), scale, 9 * scale]);
      expect(() => checkGramian(skewed(1e-8))).not.toThrow();
      expect(() => checkGramian(skewed(2e-8))).toThrow(/symmetric within its relative error/);
    }
  });

  it.each<[string, unknown, RegExp]>([
    ['a size of 0', { ...gramian([1]), size: 0 }, /`size` that is an integer >= 1. Found 0/],
    ['a size of 1.5', { ...gramian([1]), size: 1.5 }, /`size` that is an integer >= 1. Found 1.5/],
    ['too few values', { ...gramian([1, 0, 0, 1]), size: 3 }, /length 9. Found a Float64Array of/],
    ['an array', { ...gramian([1]), values: [1] }, /Float64Array of length 1. Found an array/],
    ['an error of NaN', gramian([1], NaN), /`relativeError` in 0 … 1. Found NaN/],
    ['an error below 0', gramian([1], -1), /`relativeError` in 0 … 1. Found -1/],
    ['NaN', gramian([1, NaN, 0, 1]), /finite entries. Found NaN in row 0, column 1/],
    ['Infinity', gramian([1, 0, 0, Infinity]), /finite entries. Found Infinity in row 1, column 1/],
    ['a negative square', gramian([1, 0, 0, -1]), /diagonal >= 0. Found -1 in row 1/],
    ['asymmetry', gramian([1, 2, 3, 40]), /Found 2 in row 0, column 1 and 3 in row 1, column 0/],
  ])('refuses %s', (_, value, message) => {
    expect(() => checkGramian(value as Gramian, 'This one')).toThrow(message);
    expect(() => checkGramian(value as Gramian, 'This one')).toThrow(/^This one should/);
  });
});
