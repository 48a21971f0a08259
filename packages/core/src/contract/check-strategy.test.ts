import { describe, expect, it } from 'vitest';
import { fixedWeights, rankByTensor, unitSum } from '../testing/strategies.ts';
import { assertStrategy } from './check-strategy.ts';
import { MultigradError } from '../base/errors.ts';

const whole = {
  ...rankByTensor(),
  needsNow: () => ({ gradients: 'none' }),
  onStepEnd: () => null,
  onEpochEnd: () => null,
};

describe('assertStrategy', () => {
  it('takes strategies, with and without what may be left out', () => {
    for (const strategy of [fixedWeights(), unitSum(), rankByTensor(), whole]) {
      expect(() => assertStrategy(strategy)).not.toThrow();
    }
    for (const losses of [undefined, 'now', 'now-and-after-step', 'epoch-means']) {
      const needs = { gradients: 'none', losses };
      expect(() => assertStrategy({ ...whole, needs })).not.toThrow();
    }
  });

  it.each<[string, unknown, string]>([
    ['a factory', fixedWeights, 'mmpareto(), not mmpareto. Found a function.'],
    ['null', null, 'not mmpareto. Found null.'],
    ['a name', 'mmpareto', 'not mmpareto. Found "mmpareto".'],
    ['nothing', undefined, 'not mmpareto. Found undefined.'],
    [
      'another specification',
      { ...whole, specification: 2 },
      'Strategy `rank-by-tensor` should have `specification` 1. Found 2.',
    ],
    [
      'no specification',
      { ...whole, specification: undefined },
      'Strategy `rank-by-tensor` should have `specification` 1. Found undefined.',
    ],
    ['no name', { ...whole, name: undefined }, 'A strategy should have `name` a non-empty string.'],
    ['an empty name', { ...whole, name: '' }, 'should have `name` a non-empty string. Found "".'],
    [
      'no needs',
      { ...whole, needs: undefined },
      "should have `needs.gradients` one of 'none', 'gramian', 'tensor-gramians', 'rows'. Found undefined.",
    ],
    ['needs of null', { ...whole, needs: null }, 'should have `needs.gradients` one of'],
    [
      'needs that are not known',
      { ...whole, needs: { gradients: 'columns' } },
      "should have `needs.gradients` one of 'none', 'gramian', 'tensor-gramians', 'rows'. Found \"columns\".",
    ],
    [
      'memory without a Gramian',
      { ...whole, needs: { gradients: 'rows', memory: true } },
      'should have `needs.gradients` \'gramian\' where it needs memory or several batches. Found "rows".',
    ],
    [
      'half a batch',
      { ...whole, needs: { gradients: 'gramian', batches: 1.5 } },
      'should have `needs.batches` an integer >= 1, or left out. Found 1.5.',
    ],
    [
      'losses that are not known',
      { ...whole, needs: { gradients: 'none', losses: 'tomorrow' } },
      "should have `needs.losses` one of 'now', 'now-and-after-step', 'epoch-means', 'now-and-epoch-means', or left out. Found \"tomorrow\".",
    ],
    ['no init', { ...whole, init: null }, 'should have `init` a function. Found null.'],
    [
      'no integrate',
      { ...whole, integrate: undefined },
      'should have `integrate` a function. Found undefined.',
    ],
    [
      'a hook that is none',
      { ...whole, onStepEnd: 1 },
      'should have `onStepEnd` a function, or left out. Found 1.',
    ],
    [
      'another hook that is none',
      { ...whole, onEpochEnd: 'mean' },
      'should have `onEpochEnd` a function, or left out. Found "mean".',
    ],
    [
      'needs now that are not a function',
      { ...whole, needsNow: { gradients: 'none' } },
      'should have `needsNow` a function, or left out. Found an object with the keys `gradients`.',
    ],
  ])('refuses %s', (_, value, message) => {
    const check = (): void => assertStrategy(value);
    expect(check).toThrow(message);
    expect(check).toThrow(expect.objectContaining({ code: 'incompatible-strategy' }));
    expect(check).toThrow(MultigradError);
  });
});
