import { describe, expect, it } from 'vitest';
import { crossed, parseRunLabel, runLabel } from './run-label.ts';

describe('the label of a run', () => {
  it.each([
    ['sum', 'ogm-ge'],
    ['mmpareto:gamma=2,rescale=tensor', 'ogm-ge:alpha=0.3,noise=false'],
    ['./own+strategy.js', 'pmr'],
    ['scaled-sum:factor=1e+5', 'pmr'],
    ['scaled-sum:factor=1e+5', null],
    ['./own+strategy.js', null],
    ['joint:weights.a+b=0.5', null],
  ])('of %s and %s comes apart again', (strategy, balance) => {
    expect(parseRunLabel(runLabel({ strategy, balance }))).toEqual({ strategy, balance });
  });

  it('crosses strategies with methods', () => {
    expect(crossed(['sum', 'mgda'], [null, 'pmr'])).toEqual(['sum', 'sum+pmr', 'mgda', 'mgda+pmr']);
  });
});
