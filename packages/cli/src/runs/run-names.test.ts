import { describe, expect, it } from 'vitest';
import { recordedComparison } from '../testing/recorded-comparison.ts';
import { runNames } from './run-names.ts';

const names = (strategies: readonly string[], seeds: readonly number[] = [0]): string[] =>
  runNames({ ...recordedComparison({ strategies, seeds }).config }).map(({ name }) => name);

describe('runNames', () => {
  it('goes seed by seed, so that an interrupted comparison has every strategy', () => {
    expect(names(['sum', 'mgda'], [0, 1])).toEqual([
      'sum-seed0',
      'mgda-seed0',
      'sum-seed1',
      'mgda-seed1',
    ]);
  });

  it('keeps options readable and separators out', () => {
    expect(names(['mmpareto:gamma=2,rescale=tensor'])).toEqual([
      'mmpareto-gamma=2-rescale=tensor-seed0',
    ]);
    expect(names(['../../etc/mine.js', '@scope/x', '...'])).toEqual([
      'etc-mine.js-seed0',
      'scope-x-seed0',
      'strategy-seed0',
    ]);
  });

  it('numbers specifiers that would share a folder, also where case does not count', () => {
    expect(names(['./a', 'a', 'A'])).toEqual(['a-seed0', 'a-2-seed0', 'A-3-seed0']);
  });
});
