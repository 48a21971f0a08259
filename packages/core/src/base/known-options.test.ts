import { describe, expect, it } from 'vitest';
import { checkKnownOptions } from './known-options.ts';

interface Options {
  readonly epochs: number;
  readonly batchSize?: number;
}

const known = { epochs: true, batchSize: true } as const;

describe('checkKnownOptions', () => {
  it('takes options that exist', () => {
    checkKnownOptions<Options>('fit', { epochs: 1 }, known);
    checkKnownOptions<Options>('fit', { epochs: 1, batchSize: 2 }, known);
  });

  it('refuses one that does not, with the nearest name', () => {
    expect(() =>
      checkKnownOptions<Options>('fit', { epochs: 1, batchsize: 2 } as Options, known),
    ).toThrow(
      '`fit` has no option `batchsize`. Did you mean `batchSize`? Its options: `epochs`, `batchSize`.',
    );
    expect(() =>
      checkKnownOptions<Options>('fit', { epochs: 1, colour: 'red' } as Options, known),
    ).toThrow('`fit` has no option `colour`. Its options: `epochs`, `batchSize`.');
  });
});
