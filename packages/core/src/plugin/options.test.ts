import { problem } from '@multigrad/test-support';
import { describe, expect, expectTypeOf, it } from 'vitest';
import type { ObjectiveWeights, OptionsOf, OptionSpec, OptionSpecs } from './options.ts';
import { assertOptionSpecs } from './options-check.ts';
import { describeOption, resolveOptions } from './options-resolve.ts';
import { optionsFromText } from './options-text.ts';

interface ExampleOptions {
  readonly gamma?: number;
  readonly seed?: number;
  readonly rescale?: 'group' | 'tensor';
  readonly limit?: number | null;
  readonly verbose?: boolean;
  readonly weights?: Readonly<Record<string, number>> | null;
}

const specs: OptionSpecs<ExampleOptions> = {
  gamma: { kind: 'number', default: 1.5, minimum: 1, description: 'A factor, at least 1.' },
  seed: { kind: 'number', default: 0, minimum: 0, maximum: 9, integer: true, description: 'Seed.' },
  rescale: {
    kind: 'choice',
    default: 'group',
    choices: ['group', 'tensor'],
    description: 'What is rescaled.',
  },
  limit: {
    kind: 'number',
    default: null,
    exclusiveMinimum: 0,
    nullable: true,
    description: 'Limit.',
  },
  verbose: { kind: 'boolean', default: false, description: 'Whether it talks.' },
  weights: { kind: 'weights', description: 'Weight of each objective.' },
};
const defaults = {
  gamma: 1.5,
  seed: 0,
  rescale: 'group',
  limit: null,
  verbose: false,
  weights: null,
};

function resolve(given: unknown): unknown {
  return resolveOptions('example', specs, given as ExampleOptions | undefined);
}

describe('resolveOptions', () => {
  it('fills in the defaults', () => {
    expect(resolve(undefined)).toEqual(defaults);
    expect(resolve({})).toEqual(defaults);
    expect(resolve({ gamma: undefined })).toEqual(defaults);
  });

  it('keeps what is given', () => {
    const given = {
      gamma: 1,
      seed: 9,
      rescale: 'tensor',
      limit: 0.25,
      verbose: true,
      weights: { image: 0, audio: 2 },
    };
    expect(resolve(given)).toEqual(given);
  });

  it('returns a frozen copy', () => {
    const weights = { image: 1 };
    const resolved = resolveOptions('example', specs, { weights });
    weights.image = 5;
    expect(resolved.weights).toEqual({ image: 1 });
    expect(Object.isFrozen(resolved) && Object.isFrozen(resolved.weights)).toBe(true);
  });

  it('takes weights above 0 alone where the description asks for it', () => {
    const positive = {
      share: { kind: 'weights', positive: true, preference: 'ray', description: 'Shares.' },
    } as const;
    expect(resolveOptions('example', positive, { share: { a: 1e-9 } }).share).toEqual({ a: 1e-9 });
    const found = problem('invalid-option', () =>
      resolveOptions('example', positive, { share: { a: 0 } }),
    );
    expect(found).toBe('Option `share.a` of `example` should be a finite number > 0. Found 0.');
    expect(
      problem('invalid-option', () => optionsFromText('example', positive, { 'share.a': '0' })),
    ).toBe(found);
    expect(describeOption(positive.share)).toBe(
      'an object of objective names and finite weights > 0, or null (all one)',
    );
    for (const [wrong, field] of [
      [{ positive: 1 }, 'positive'],
      [{ preference: 'both' }, 'preference'],
    ] as const) {
      expect(
        problem('incompatible-strategy', () =>
          assertOptionSpecs('Plugin `x`', { share: { ...positive.share, ...wrong } }),
        ),
      ).toContain(`\`options.share.${field}\` should be`);
    }
  });

  it('takes the name of an objective, or none', () => {
    interface Named {
      readonly first?: string | null;
    }
    const named: OptionSpecs<Named> = { first: { kind: 'objective', description: 'The first.' } };
    expect(resolveOptions<Named>('example', named, {}).first).toBeNull();
    expect(resolveOptions<Named>('example', named, { first: 'image' }).first).toBe('image');
    expect(optionsFromText('example', named, { first: 'image' })).toEqual({ first: 'image' });
    expect(optionsFromText('example', named, { first: 'off' })).toEqual({ first: null });
    expect(
      problem('invalid-option', () => resolveOptions<Named>('example', named, { first: '' })),
    ).toBe(
      'Option `first` of `example` should be the name of an objective, or null (off). Found "".',
    );
  });

  it('takes objectives with any name', () => {
    const weights = JSON.parse('{"__proto__": 2, "constructor": 3}') as Record<string, number>;
    const resolved = resolveOptions<ExampleOptions>('example', specs, { weights }).weights;
    expect(Object.entries(resolved ?? {})).toEqual([
      ['__proto__', 2],
      ['constructor', 3],
    ]);
  });

  it.each([
    [{ gamma: 0.5 }, 'Option `gamma` of `example` should be a number >= 1. Found 0.5.'],
    [{ gamma: NaN }, 'Option `gamma` of `example` should be a number >= 1. Found NaN.'],
    [{ gamma: Infinity }, 'Option `gamma` of `example` should be a number >= 1. Found Infinity.'],
    [{ gamma: '2' }, 'Option `gamma` of `example` should be a number >= 1. Found "2".'],
    [{ gamma: null }, 'Option `gamma` of `example` should be a number >= 1. Found null.'],
    [{ seed: 1.5 }, 'Option `seed` of `example` should be an integer from 0 to 9. Found 1.5.'],
    [{ seed: 10 }, 'Option `seed` of `example` should be an integer from 0 to 9. Found 10.'],
    [{ limit: 0 }, 'Option `limit` of `example` should be a number > 0, or null (off). Found 0.'],
    [
      { rescale: 'tensors' },
      'Option `rescale` of `example` should be "group" or "tensor". Found "tensors". Did you mean `tensor`?',
    ],
    [{ rescale: 3 }, 'Option `rescale` of `example` should be "group" or "tensor". Found 3.'],
    [{ verbose: 1 }, 'Option `verbose` of `example` should be true or false. Found 1.'],
    [
      { weights: [1, 2] },
      'Option `weights` of `example` should be an object of objective names and finite weights >= 0, or null (all one). Found an array of length 2.',
    ],
    [
      { weights: new Float64Array(2) },
      'Option `weights` of `example` should be an object of objective names and finite weights >= 0, or null (all one). Found a Float64Array.',
    ],
    [
      { weights: { image: -1 } },
      'Option `weights.image` of `example` should be a finite number >= 0. Found -1.',
    ],
    [
      { weights: { image: NaN } },
      'Option `weights.image` of `example` should be a finite number >= 0. Found NaN.',
    ],
    [
      { gama: 1 },
      '`example` has no option `gama`. Did you mean `gamma`? Its options: `gamma`, `seed`, `rescale`, `limit`, `verbose`, `weights`.',
    ],
    [
      { toString: 1 },
      '`example` has no option `toString`. Its options: `gamma`, `seed`, `rescale`, `limit`, `verbose`, `weights`.',
    ],
    [2, 'The options of `example` should be an object such as { gamma: … }. Found 2.'],
    [
      [],
      'The options of `example` should be an object such as { gamma: … }. Found an array of length 0.',
    ],
  ])('refuses %j', (given: unknown, message) => {
    expect(problem('invalid-option', () => resolve(given))).toBe(message);
  });

  it('says so where there are no options at all', () => {
    expect(problem('invalid-option', () => resolveOptions<object>('plain', {}, { a: 1 }))).toBe(
      '`plain` has no option `a`. Its options: none.',
    );
  });
});

describe('describeOption', () => {
  const base = { kind: 'number', default: 1, description: 'A number.' } as const;
  it.each<[OptionSpec, string]>([
    [base, 'a number'],
    [{ ...base, maximum: 3 }, 'a number <= 3'],
    [{ ...base, exclusiveMinimum: 0, maximum: 3 }, 'a number > 0 and <= 3'],
    [{ ...base, minimum: 0, maximum: 3, integer: true }, 'an integer from 0 to 3'],
    [{ ...base, exclusiveMinimum: 0, nullable: true }, 'a number > 0, or null (off)'],
  ])('%# puts a range in words', (spec, expected) => {
    expect(describeOption(spec)).toBe(expected);
  });
});

describe('optionsFromText', () => {
  const read = (texts: Record<string, string>) => optionsFromText('example', specs, texts);

  it('converts by description, and leaves the rest to the factory', () => {
    expect(
      read({
        gamma: '2',
        seed: '7',
        rescale: 'tensor',
        limit: '1e-3',
        verbose: 'true',
        'weights.image': '.5',
        'weights.a.b': '2.',
      }),
    ).toEqual({
      gamma: 2,
      seed: 7,
      rescale: 'tensor',
      limit: 0.001,
      verbose: true,
      weights: { image: 0.5, 'a.b': 2 },
    });
    expect(read({})).toEqual({});
    expect(read({ verbose: 'false', limit: 'off', weights: 'off' })).toEqual({
      verbose: false,
      limit: null,
      weights: null,
    });
  });

  it.each([
    [{ gamma: '' }, 'Option `gamma` of `example` should be a number >= 1. Found "".'],
    [{ gamma: '0x10' }, 'Option `gamma` of `example` should be a number >= 1. Found "0x10".'],
    [{ gamma: '1,5' }, 'Option `gamma` of `example` should be a number >= 1. Found "1,5".'],
    [
      { gamma: 'Infinity' },
      'Option `gamma` of `example` should be a number >= 1. Found "Infinity".',
    ],
    [{ gamma: '1e999' }, 'Option `gamma` of `example` should be a number >= 1. Found Infinity.'],
    [{ gamma: 'off' }, 'Option `gamma` of `example` should be a number >= 1. Found "off".'],
    [{ gamma: '0.5' }, 'Option `gamma` of `example` should be a number >= 1. Found 0.5.'],
    [
      { rescale: 'grup' },
      'Option `rescale` of `example` should be "group" or "tensor". Found "grup". Did you mean `group`?',
    ],
    [{ verbose: 'yes' }, 'Option `verbose` of `example` should be true or false. Found "yes".'],
    [
      { weights: '1' },
      'Option `weights` of `example` should be given one objective at a time, `weights.<objective>=<weight>`, or `off` (all one). Found "1".',
    ],
    [
      { 'weights.': '1' },
      'Option `weights.` of `example` should name an objective: `weights.<objective>=<weight>`.',
    ],
    [
      { 'weights.image': 'x' },
      'Option `weights.image` of `example` should be a finite number >= 0. Found "x".',
    ],
    [
      { 'weights.image': '-1' },
      'Option `weights.image` of `example` should be a finite number >= 0. Found -1.',
    ],
    [
      { weights: 'off', 'weights.image': '1' },
      'Option `weights` of `example` is both off and given for `image`.',
    ],
    [
      { 'gamma.image': '1' },
      'Option `gamma` of `example` has no parts: it should be a number >= 1. Found `gamma.image`.',
    ],
    [
      { limits: '1' },
      '`example` has no option `limits`. Did you mean `limit`? Its options: `gamma`, `seed`, `rescale`, `limit`, `verbose`, `weights`.',
    ],
  ])('refuses %j', (texts: Record<string, string>, message) => {
    expect(problem('invalid-option', () => read(texts))).toBe(message);
  });
});

describe('assertOptionSpecs', () => {
  const number = { kind: 'number', default: 1, description: 'A number.' };
  const choice = { kind: 'choice', default: 'a', choices: ['a', 'b'], description: 'A word.' };

  it('takes every kind', () => {
    expect(() => {
      assertOptionSpecs('Plugin `x`', specs);
    }).not.toThrow();
  });

  it.each<[unknown, string]>([
    [null, '`options` should be an object of option descriptions. Found null.'],
    [
      { 'a-b': number },
      `an option's name should be a letter followed by letters, digits or _. Found "a-b".`,
    ],
    [{ a: 1 }, '`options.a` should be an object with a kind and a description. Found 1.'],
    [
      { a: { ...number, kind: 'integer' } },
      '`options.a.kind` should be one of `number`, `choice`, `boolean`, `objective`, `weights`. Found "integer".',
    ],
    [
      { a: { ...number, description: ' ' } },
      '`options.a.description` should be a sentence with the unit and the range. Found " ".',
    ],
    [
      { a: { ...number, min: 0 } },
      '`options.a` has a key `min`, which a number option does not have. Did you mean `minimum`? Its keys: ' +
        '`kind`, `description`, `default`, `minimum`, `exclusiveMinimum`, `maximum`, `integer`, `nullable`.',
    ],
    [
      { a: { ...choice, choises: ['a'] } },
      '`options.a` has a key `choises`, which a choice option does not have. Did you mean `choices`? Its keys: ' +
        '`kind`, `description`, `default`, `choices`.',
    ],
    [
      { a: { kind: 'boolean', default: true, description: 'Yes or no.', minimum: 0 } },
      '`options.a` has a key `minimum`, which a boolean option does not have. Its keys: `kind`, `description`, `default`.',
    ],
    [
      { a: { ...number, minimum: '0' } },
      '`options.a.minimum` should be a finite number or absent. Found "0".',
    ],
    [
      { a: { ...number, integer: 1 } },
      '`options.a.integer` should be true, false or absent. Found 1.',
    ],
    [
      { a: { ...number, minimum: 0, exclusiveMinimum: 0 } },
      '`options.a` should have `minimum` or `exclusiveMinimum`. Found "both".',
    ],
    [
      { a: { ...number, minimum: 2 } },
      '`options.a.default` is not a value that the option allows. Option `a` of `Plugin `x`` should be a number >= 2. Found 1.',
    ],
    [
      { a: { kind: 'boolean', description: 'Yes or no.' } },
      '`options.a.default` is not a value that the option allows. Option `a` of `Plugin `x`` should be true or false. Found undefined.',
    ],
    [
      { a: { ...choice, choices: ['a', 'a'] } },
      '`options.a.choices` should be an array of different texts. Found an array of length 2.',
    ],
    [
      { a: { ...choice, choices: undefined } },
      '`options.a.choices` should be an array of different texts. Found undefined.',
    ],
  ])('refuses %j', (value, message) => {
    expect(
      problem('incompatible-strategy', () => {
        assertOptionSpecs('Plugin `x`', value);
      }),
    ).toBe(`Plugin \`x\`: ${message}`);
  });
});

describe('OptionsOf', () => {
  const specs = {
    rate: { kind: 'number', default: 0.9, minimum: 0, description: 'Share kept a step.' },
    limit: { kind: 'number', default: null, nullable: true, description: 'Bound, or off.' },
    mode: {
      kind: 'choice',
      choices: ['linear', 'cosine'],
      default: 'linear',
      description: 'Shape.',
    },
    open: { kind: 'boolean', default: false, description: 'Whether open.' },
    preference: { kind: 'weights', description: 'Of each objective.' },
  } as const;

  it('is the type that the descriptions ask for', () => {
    expectTypeOf<OptionsOf<typeof specs>>().toEqualTypeOf<{
      readonly rate?: number;
      readonly limit?: number | null;
      readonly mode?: 'linear' | 'cosine';
      readonly open?: boolean;
      readonly preference?: ObjectiveWeights | null;
    }>();
    const given: OptionsOf<typeof specs> = { mode: 'cosine' };
    expect(resolveOptions('decay', specs, given)).toEqual({
      ...{ rate: 0.9, limit: null, mode: 'cosine', open: false, preference: null },
    });
  });
});
