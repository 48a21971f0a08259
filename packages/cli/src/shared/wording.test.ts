import { describe, expect, it } from 'vitest';
import { formatCount, wrapText } from './wording.ts';

describe('formatCount', () => {
  it('has one of a kind in the singular', () => {
    expect([0, 1, 2].map((count) => formatCount(count, 'step'))).toEqual([
      '0 steps',
      '1 step',
      '2 steps',
    ]);
    expect(formatCount(2, 'strategy', 'strategies')).toBe('2 strategies');
  });
});

describe('wrapText', () => {
  it('breaks between words alone', () => {
    expect(wrapText('one two three four', 9)).toEqual(['one two', 'three', 'four']);
    expect(wrapText('a considerably long word', 5)).toEqual(['a', 'considerably', 'long', 'word']);
  });
});
