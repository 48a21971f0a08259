import { describe, expect, it } from 'vitest';
import { findClaims, whatIsWrong } from './example-claims.ts';

describe('claims of examples', () => {
  it('are found behind calls of console.log, on one line or several', () => {
    const { claims, code } = findClaims(
      'console.log(a);\nconsole.log(b); // 1, 2\nconsole.log(\n  c,\n  d,\n); // 3\n',
    );
    expect(claims).toEqual(['1, 2', '3']);
    expect(code).toBe(
      'console.log(a);\nglobalThis.claimed(0, b);\nglobalThis.claimed(1, \n  c,\n  d,\n);\n',
    );
  });

  it.each(['const a = fit(); // the loss falls', '// it learns\nfit();', 'fit(); // falling'])(
    'are refused where nothing is printed: %s',
    (program) => expect(() => findClaims(program)).toThrow('Nothing checks this claim'),
  );

  it.each<[string, ...unknown[]]>([
    ['0.6, 0.4 and 0, 1, 1', Float64Array.of(0.6, 0.4), [0, 1, 1]],
    ['-0.84: a conflict', -0.8412],
    ["[ 'sum', 'mmpareto' ]", ['sum', 'mmpareto']],
    ['{ gamma: 2 }', { gamma: 2 }],
    ['5/9, −4/9', [5 / 9, -4 / 9]],
    ['multi…', 'multimodal'],
    ['… at position 1', 'Found 10 at position 1'],
    ['true', true],
    ['falls below 0.1', [1, 2, 0.09]],
    ['rises above 0.9', [0.5, 0.95]],
  ])('hold: %s', (claim, ...values) => expect(whatIsWrong(claim, values)).toBeNull());

  it.each<[string, ...unknown[]]>([
    ['0.6, 0.4', [0.6, 0.5]],
    ['0.6, 0.4', [0.6]],
    ['0.6', [0.6, 0.4]],
    ['-0.84: a conflict', -0.83],
    ['-0.84', 0.84],
    ['0', 1e-3],
    ['true', false],
    ['sum', 'mean'],
    ['2', Number.NaN],
    ['one number for each epoch', [1, 2]],
    ['falling', [2, 1]],
    ['falls below 0.1', [1, 0.2]],
    ['falls below 0.1', [0.01, 0.02]],
    ['falls below 0.1', [1, Number.NaN]],
    ['falls below 0.1', [0.01]],
    ['falls below 0.1', 0.01],
    ['falls below 0.1', [1, 0.01], [1, 0.5]],
    ['rises above 0.9', [0.5, 0.89]],
    ['rises above 0.9', [0.95, 0.92]],
    ['falls below 0.1'],
    ['0'],
  ])('do not hold: %s', (claim, ...values) => expect(whatIsWrong(claim, values)).not.toBeNull());
});
