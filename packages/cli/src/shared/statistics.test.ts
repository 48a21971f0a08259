import { describe, expect, it } from 'vitest';
import { estimate, median, standardDeviation } from './statistics.ts';

describe('statistics', () => {
  it('divides the squares by n − 1', () => {
    expect(standardDeviation([2, 4, 4, 4, 5, 5, 7, 9])).toBeCloseTo(Math.sqrt(32 / 7), 14);
  });

  it('knows no spread of one value', () => {
    expect(standardDeviation([3])).toBeNull();
    expect(estimate([3])).toEqual({ mean: 3, sd: null, n: 1 });
  });

  it('leaves out what was not measured', () => {
    expect(estimate([1, null, 3, undefined])).toEqual({ mean: 2, sd: Math.SQRT2, n: 2 });
    expect(estimate([null, undefined])).toBeNull();
  });

  it('takes the middle, or the mean of the two middle ones', () => {
    expect(median([9, 1, 5])).toBe(5);
    expect(median([9, 1, 5, 3])).toBe(4);
  });
});
