import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseStrategySpecifier } from './specifier.ts';

describe('parseStrategySpecifier', () => {
  it.each([
    ['mmpareto', 'mmpareto', {}],
    ['mmpareto:gamma=2,rescale=tensor', 'mmpareto', { gamma: '2', rescale: 'tensor' }],
    [' mmpareto : gamma=2 ', 'mmpareto : gamma=2', null],
    ['mmpareto:gamma = 2, rescale= tensor ', 'mmpareto', null],
    ['mmpareto:gamma=2, rescale= tensor ', 'mmpareto', { gamma: '2', rescale: 'tensor' }],
    ['sum:weights.image=0.5,weights.a b=2', 'sum', { 'weights.image': '0.5', 'weights.a b': '2' }],
    ['sum:weights.a:b=2', 'sum', { 'weights.a:b': '2' }],
    ['@scope/pkg', '@scope/pkg', {}],
    ['@scope/pkg:a=1', '@scope/pkg', { a: '1' }],
    ['some-pkg:a=', 'some-pkg', { a: '' }],
    ['x:max-rescale=2', 'x', { 'max-rescale': '2' }],
    ['x:a=b=c,d=C:e', 'x', { a: 'b=c', d: 'C:e' }],
    ['./x.js', './x.js', {}],
    ['./x.js:a=1', './x.js', { a: '1' }],
    ['./a=1/x.js', './a=1/x.js', {}],
    ['C:\\own\\x.js', 'C:\\own\\x.js', {}],
    ['C:\\own\\x.js:gamma=2', 'C:\\own\\x.js', { gamma: '2' }],
    ['C:/own/x.js:gamma=2', 'C:/own/x.js', { gamma: '2' }],
    ['file:///own/x.js', 'file:///own/x.js', {}],
    ['file:///own/x.js:gamma=2', 'file:///own/x.js', { gamma: '2' }],
  ])('%s', (text, name, options) => {
    if (options === null) {
      expect(() => parseStrategySpecifier(text)).toThrow('should be `option=value`');
    } else {
      expect(parseStrategySpecifier(text)).toEqual({ name, options });
    }
  });

  it.each([
    ['', 'A strategy should be `name` or `name:option=value,option=value`. Found "".'],
    [':a=1', 'A strategy should be `name` or `name:option=value,option=value`. Found ":a=1".'],
    [
      'mmpareto:',
      'The options of a strategy should be `option=value`, separated by commas. Found "" in "mmpareto:".',
    ],
    [
      'mmpareto:gamma',
      'The options of a strategy should be `option=value`, separated by commas. Found "gamma" in "mmpareto:gamma".',
    ],
    [
      '@scope/pkg:gamma',
      'The options of a strategy should be `option=value`, separated by commas. Found "gamma" in "@scope/pkg:gamma".',
    ],
    [
      'x:a=1,,b=2',
      'The options of a strategy should be `option=value`, separated by commas. Found "" in "x:a=1,,b=2".',
    ],
    [
      'x:a=1,b',
      'The options of a strategy should be `option=value`, separated by commas. Found "b" in "x:a=1,b".',
    ],
    ['x:a=1,a=2', 'Option `a` is given twice in "x:a=1,a=2".'],
  ])('refuses %j', (text, message) => {
    expect(() => parseStrategySpecifier(text)).toThrow(message);
  });

  it('keeps option names that objects have of themselves', () => {
    const { options } = parseStrategySpecifier('sum:weights.__proto__=2,constructor=1');
    expect(Object.entries(options)).toEqual([
      ['weights.__proto__', '2'],
      ['constructor', '1'],
    ]);
  });

  it('returns what was written', () => {
    const word = fc.stringMatching(/^[a-z][a-z0-9-]{0,8}$/);
    const value = fc.stringMatching(/^[A-Za-z0-9.=:/\\-]{0,8}$/);
    fc.assert(
      fc.property(
        fc.oneof(
          word,
          word.map((name) => `@own/${name}`),
          word.map((name) => `D:\\own\\${name}.js`),
        ),
        fc.dictionary(word, value, { maxKeys: 4, noNullPrototype: true }),
        (name, options) => {
          const list = Object.entries(options).map(([key, text]) => `${key}=${text}`);
          const text = list.length === 0 ? name : `${name}:${list.join(',')}`;
          expect(parseStrategySpecifier(text)).toEqual({ name, options });
        },
      ),
    );
  });
});
