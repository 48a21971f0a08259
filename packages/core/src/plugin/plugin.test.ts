import { problem } from '@multigrad/test-support';
import { describe, expect, it } from 'vitest';
import type { OptionSpecs } from './options.ts';
import { resolveOptions } from './options-resolve.ts';
import { assertPlugin, createStrategy, definePlugin, type StrategyPlugin } from './plugin.ts';
import { createRegistry } from './registry.ts';
import type { GradientStrategy } from '../contract/strategy.ts';

interface ConstantOptions {
  readonly weight?: number;
  readonly mode?: 'plain' | 'square';
}

const constantOptions: OptionSpecs<ConstantOptions> = {
  weight: { kind: 'number', default: 1, minimum: 0, description: 'The weight, at least 0.' },
  mode: { kind: 'choice', default: 'plain', choices: ['plain', 'square'], description: 'How.' },
};

function constant(options: ConstantOptions = {}): GradientStrategy<{ readonly weight: number }> {
  const { weight } = resolveOptions('constant', constantOptions, options);
  return {
    specification: 1,
    name: 'constant',
    needs: { gradients: 'none' },
    init: () => ({ weight }),
    integrate: ({ objectives }, state) => ({
      weights: new Float64Array(objectives.length).fill(state.weight),
      state,
    }),
  };
}

const parts: StrategyPlugin<ConstantOptions> = {
  specification: 1,
  name: 'constant',
  title: 'Constant',
  summary: 'Gives every objective the same weight.',
  paper: {
    title: 'On constants',
    authors: ['A. Author', 'B. Author'],
    venue: 'arXiv',
    year: 2020,
    url: 'https://example.org/constants',
  },
  options: constantOptions,
  create: constant,
};

function withName(name: string): StrategyPlugin {
  return { ...parts, name, create: () => ({ ...constant(), name }) };
}

describe('definePlugin', () => {
  it('returns an equal plugin, frozen throughout, that shares nothing changeable', () => {
    const plugin = definePlugin(parts);
    expect({ ...plugin, create: constant }).toEqual(parts);
    expect(definePlugin({ ...parts, formula: 'u = g' }).formula).toBe('u = g');
    for (const part of [
      plugin,
      plugin.paper,
      plugin.paper?.authors,
      plugin.options,
      plugin.options.weight,
      plugin.options.mode.choices,
    ]) {
      expect(Object.isFrozen(part)).toBe(true);
    }
    expect(Object.isFrozen(parts.paper)).toBe(false);
    expect(Object.isFrozen(parts.options.mode.choices)).toBe(false);
  });

  it('keeps the receiver of `create`', () => {
    class OwnPlugin implements StrategyPlugin<ConstantOptions> {
      readonly specification = 1;
      readonly name = 'constant';
      readonly title = 'Constant';
      readonly summary = 'Gives every objective the same weight.';
      readonly paper = null;
      readonly options = constantOptions;
      readonly weight = 3;
      create(options?: ConstantOptions): GradientStrategy {
        return constant({ weight: this.weight, ...options });
      }
    }
    const plugin = definePlugin(new OwnPlugin());
    const none = { key: '', objectives: [], tensors: [] };
    expect(plugin.create().init(none)).toEqual({ weight: 3 });
    expect(plugin.create({ weight: 2 }).init(none)).toEqual({ weight: 2 });
  });
});

describe('assertPlugin', () => {
  it('takes a plugin without paper and options', () => {
    expect(() => {
      assertPlugin({ ...parts, paper: null, options: {} });
    }).not.toThrow();
  });

  it.each<[string, unknown, string]>([
    [
      'nothing',
      undefined,
      'a strategy plugin should be an object made by `definePlugin`, exported as `plugin`. Found undefined.',
    ],
    [
      'a later specification',
      { ...parts, specification: 2 },
      'Plugin `constant` follows specification 2; this version of @multigrad/core understands specification 1. Update @multigrad/core.',
    ],
    [
      'no specification',
      { name: 'x' },
      'Plugin `x` follows specification undefined; this version of @multigrad/core understands specification 1. Every plugin states `specification: 1`.',
    ],
    [
      'a name that is no word',
      { ...parts, name: 'My Strategy' },
      'Plugin `My Strategy`: `name` should be a name in kebab-case, such as `my-strategy`. Found "My Strategy".',
    ],
    [
      'no name',
      { ...parts, name: undefined },
      'Plugin: `name` should be a name in kebab-case, such as `my-strategy`. Found undefined.',
    ],
    [
      'an empty formula',
      { ...parts, formula: ' ' },
      'Plugin `constant`: `formula` should be a text that is not empty. Found " ".',
    ],
    [
      'an empty title',
      { ...parts, title: '' },
      'Plugin `constant`: `title` should be a text that is not empty. Found "".',
    ],
    [
      'no summary',
      { ...parts, summary: 1 },
      'Plugin `constant`: `summary` should be a text that is not empty. Found 1.',
    ],
    [
      'an absent paper',
      { ...parts, paper: undefined },
      'Plugin `constant`: `paper` should be a publication, or null where there is none. Found undefined.',
    ],
    [
      'a paper without address',
      { ...parts, paper: { ...parts.paper, url: undefined } },
      'Plugin `constant`: `paper.url` should be a text that is not empty. Found undefined.',
    ],
    [
      'authors as one text',
      { ...parts, paper: { ...parts.paper, authors: 'A. Author' } },
      'Plugin `constant`: `paper.authors` should be an array of names. Found "A. Author".',
    ],
    [
      'a year as text',
      { ...parts, paper: { ...parts.paper, year: '2020' } },
      'Plugin `constant`: `paper.year` should be a year. Found "2020".',
    ],
    [
      'an empty use',
      { ...parts, use: ' ' },
      'Plugin `constant`: `use` should be a text that is not empty. Found " ".',
    ],
    [
      'a property without a reason',
      { ...parts, properties: { nonConflicting: false } },
      "Plugin `constant`: `properties.nonConflicting` should be true, 'independent' or { not: reason }. Found false.",
    ],
    [
      'a degree that is none',
      { ...parts, properties: { nonConflicting: true, permutation: true, homogeneity: NaN } },
      'Plugin `constant`: `properties.homogeneity` should be a degree or { not: reason }. Found NaN.',
    ],
    [
      'malformed options',
      { ...parts, options: { weight: {} } },
      'Plugin `constant`: `options.weight.kind` should be one of `number`, `choice`, `boolean`, `objective`, `weights`. Found undefined.',
    ],
    [
      'no factory',
      { ...parts, create: constant() },
      'Plugin `constant`: `create` should be the function that makes the strategy. Found an object with the keys `specification`, `name`, `needs`, `init`, `integrate`.',
    ],
  ])('refuses %s', (_, value, message) => {
    expect(
      problem('incompatible-strategy', () => {
        assertPlugin(value, './own.js');
      }),
    ).toBe(`./own.js: ${message}`);
  });
});

describe('createStrategy', () => {
  const none = { key: '', objectives: [], tensors: [] };

  it('reads texts by the descriptions', () => {
    expect(createStrategy(parts).init(none)).toEqual({ weight: 1 });
    expect(createStrategy(parts, { weight: '2.5' }).init(none)).toEqual({ weight: 2.5 });
    expect(problem('invalid-option', () => createStrategy(parts, { weight: '-1' }))).toBe(
      'Option `weight` of `constant` should be a number >= 0. Found -1.',
    );
  });

  it('refuses what is no strategy of the plugin', () => {
    const making = (made: unknown): StrategyPlugin => ({
      ...parts,
      create: () => made as GradientStrategy,
    });
    expect(problem('incompatible-strategy', () => createStrategy(making(undefined)))).toMatch(
      /^Plugin `constant`: A strategy should be .* Found .*undefined/,
    );
    expect(
      problem('incompatible-strategy', () =>
        createStrategy(making({ ...constant(), specification: 3 })),
      ),
    ).toMatch(/^Plugin `constant`: .*`specification`.* Found 3\.$/);
    expect(
      problem('incompatible-strategy', () => createStrategy(making({ ...constant(), name: 'x' }))),
    ).toBe('Plugin `constant`: `create().name` should be the plugin\'s name. Found "x".');
  });
});

describe('createRegistry', () => {
  const registry = createRegistry([parts, withName('alpha'), withName('mmpareto')]);

  it('lists, finds and creates', () => {
    expect(registry.list().map((plugin) => plugin.name)).toEqual(['constant', 'alpha', 'mmpareto']);
    expect(registry.find('constant')).toBe(parts);
    expect([registry.has('alpha'), registry.has('Alpha')]).toEqual([true, false]);
    expect(registry.create('alpha').name).toBe('alpha');
    const strategy = registry.create('constant:weight=4,mode=square');
    expect(strategy.init({ key: '', objectives: [], tensors: [] })).toEqual({ weight: 4 });
  });

  it('names what it knows where a name is unknown', () => {
    const known = 'Known: `constant`, `alpha`, `mmpareto`.';
    expect(problem('unknown-strategy', () => registry.find('mm-pareto'))).toBe(
      `There is no strategy \`mm-pareto\`. Did you mean \`mmpareto\`? ${known}`,
    );
    expect(problem('unknown-strategy', () => registry.create('toString:a=1'))).toBe(
      `There is no strategy \`toString\`. ${known}`,
    );
    expect(problem('unknown-strategy', () => createRegistry([]).find('x'))).toBe(
      'There is no strategy `x`. Known: none.',
    );
  });

  it('refuses malformed plugins and two of one name', () => {
    expect(problem('invalid-argument', () => createRegistry([parts, parts]))).toBe(
      'Every plugin of a registry should have its own name. Found `constant` twice.',
    );
    expect(
      problem('incompatible-strategy', () => createRegistry([{ ...parts, summary: '' }])),
    ).toContain('`summary`');
  });
});
