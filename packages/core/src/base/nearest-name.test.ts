import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { didYouMean, listNames, nearestName } from './nearest-name.ts';

const strategies = ['sum', 'mmpareto', 'pcgrad', 'mgda'];

describe('nearestName', () => {
  it.each([
    ['mmparetto', 'mmpareto'],
    ['mmpareot', 'mmpareto'],
    ['MM-Pareto', 'mmpareto'],
    ['pcgrd', 'pcgrad'],
    ['PC Grad', 'pcgrad'],
    ['smu', 'sum'],
    ['mdga', 'mgda'],
  ])('takes %s for %s', (name, expected) => {
    expect(nearestName(name, strategies)).toBe(expected);
  });

  it.each(['', 'adam', 'paretomm', 'gradient'])('takes %j for none of the strategies', (name) => {
    expect(nearestName(name, strategies)).toBeUndefined();
  });

  it('prefers the nearer, and of equally near ones the first', () => {
    expect(nearestName('images', ['image-12', 'image'])).toBe('image');
    expect(nearestName('tas', ['task', 'tax'])).toBe('task');
    expect(nearestName('tas', ['tax', 'task'])).toBe('tax');
  });

  it('counts a swap of neighbours as one edit, not two', () => {
    // Two edits would exceed the one edit allowed for four letters.
    expect(nearestName('abdc', ['abcd'])).toBe('abcd');
    expect(nearestName('badc', ['abcd'])).toBeUndefined();
  });

  it('finds every name itself, and every name with one letter less', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.stringMatching(/^[a-z]{4,12}$/), { minLength: 1, maxLength: 6 }),
        fc.nat(),
        fc.nat(),
        (names, whichName, whichLetter) => {
          const name = names[whichName % names.length]!;
          expect(nearestName(name, names)).toBe(name);
          const at = whichLetter % name.length;
          expect(nearestName(name.slice(0, at) + name.slice(at + 1), [name])).toBe(name);
        },
      ),
    );
  });
});

describe('didYouMean and listNames', () => {
  it('end a message', () => {
    expect(didYouMean('mgad', strategies)).toBe(' Did you mean `mgda`?');
    expect(didYouMean('adam', strategies)).toBe('');
    expect(listNames(strategies)).toBe('`sum`, `mmpareto`, `pcgrad`, `mgda`');
    expect(listNames([])).toBe('none');
  });
});
