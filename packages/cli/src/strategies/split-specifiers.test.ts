import { MultigradError } from '@multigrad/core/strategy';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { collectSpecifiers, splitSpecifiers } from './split-specifiers.ts';

describe('splitSpecifiers', () => {
  it.each([
    ['sum', ['sum']],
    ['joint,sum,mgda', ['joint', 'sum', 'mgda']],
    ['sum, mmpareto , mgda', ['sum', 'mmpareto', 'mgda']],
    [
      'sum,mmpareto:gamma=2,rescale=tensor,mgda',
      ['sum', 'mmpareto:gamma=2,rescale=tensor', 'mgda'],
    ],
    ['pcgrad:seed=1,mgda:normalization=l2', ['pcgrad:seed=1', 'mgda:normalization=l2']],
    ['sum:weights.gray=0.5,weights.color=0,sum', ['sum:weights.gray=0.5,weights.color=0', 'sum']],
    ['./mine.js,./other.js:rate=1e-3,sum', ['./mine.js', './other.js:rate=1e-3', 'sum']],
    ['my.package:rate=1,other.package:rate=2', ['my.package:rate=1', 'other.package:rate=2']],
    ['C:\\own\\a=b.js,sum', ['C:\\own\\a=b.js', 'sum']],
    ['@scope/package:rate=1,@scope/other', ['@scope/package:rate=1', '@scope/other']],
  ])('splits %s', (list, specifiers) => {
    expect(splitSpecifiers(list)).toEqual(specifiers);
  });

  it('puts back together what it split', () => {
    const word = fc.stringMatching(/^[a-z][a-z0-9-]{0,8}$/);
    const options = fc.dictionary(word, fc.stringMatching(/^[a-z0-9.]{1,5}$/), {
      minKeys: 0,
      maxKeys: 3,
    });
    const specifier = fc.tuple(word, options).map(([name, given]) => {
      const list = Object.entries(given).map(([key, value]) => `${key}=${value}`);
      return list.length > 0 ? `${name}:${list.join(',')}` : name;
    });
    fc.assert(
      fc.property(fc.array(specifier, { minLength: 1, maxLength: 5 }), (specifiers) => {
        expect(splitSpecifiers(specifiers.join(','))).toEqual(specifiers);
      }),
    );
  });

  it.each([
    ['sum,,mgda', 'Found an empty one in "sum,,mgda"'],
    ['', 'Found an empty one'],
    ['gamma=2', 'The option `gamma=2` should follow a strategy'],
    ['sum,gamma=2', 'as in `sum:gamma=2`'],
  ])('refuses %j', (list, message) => {
    expect(() => splitSpecifiers(list)).toThrow(message);
  });
});

describe('collectSpecifiers', () => {
  it('joins the lists of a repeated option', () => {
    expect(collectSpecifiers(['sum,mgda', 'mmpareto:gamma=2,rescale=tensor'])).toEqual([
      'sum',
      'mgda',
      'mmpareto:gamma=2,rescale=tensor',
    ]);
  });

  it('refuses a strategy that stands twice', () => {
    expect(() => collectSpecifiers(['sum,mgda', 'sum'])).toThrow(
      new MultigradError(
        'invalid-argument',
        'Each strategy should be named once. Found `sum` twice.',
      ),
    );
  });
});
