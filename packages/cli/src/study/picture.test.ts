import { describe, expect, it } from 'vitest';
import { roundTicks } from './picture.ts';

describe('roundTicks', () => {
  it('gives round values within a range', () => {
    expect(roundTicks(-1, 1, 4)).toEqual([-1, -0.5, 0, 0.5, 1]);
    expect(roundTicks(-8.6, 8.6, 4)).toEqual([-5, 0, 5]);
    expect(roundTicks(0, 1.05, 4)).toEqual([0, 0.5, 1]);
  });
});
