import { describe, expect, it } from 'vitest';
import { foldParts } from './folds.ts';

const labels = Array.from({ length: 90 }, (_, sample) => sample % 3);

describe('foldParts', () => {
  it('lets each sample test in one fold alone, and gives every part its share of each class', () => {
    const tests = labels.map(() => 0);
    for (let fold = 0; fold < 5; fold += 1) {
      const parts = foldParts(labels, { fold, folds: 5, validation: 10 });
      const count = (part: string, label: number): number =>
        parts.filter((one, sample) => one === part && labels[sample] === label).length;
      for (const label of [0, 1, 2]) {
        expect(count('test', label)).toBe(6);
        expect(count('validation', label)).toBe(label === 0 ? 4 : 3);
        expect(count('train', label)).toBe(label === 0 ? 20 : 21);
      }
      parts.forEach((part, sample) => {
        if (part === 'test') tests[sample]! += 1;
      });
    }
    expect(new Set(tests)).toEqual(new Set([1]));
  });

  it('validates on nothing where that is asked for', () => {
    expect(foldParts(labels, { fold: 0, folds: 2, validation: 0 })).not.toContain('validation');
  });
});
