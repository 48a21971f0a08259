import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { balancingPlugins, chooseBalancing, expandBalancing, findBalancing } from './balancing.ts';
import { balancingJson, balancingPage, balancingText } from './balancing-text.ts';

describe('the page of balancing methods', () => {
  it('is what the plugins say; if not, run npm run docs:balancing', () => {
    const file = join(import.meta.dirname, '../../../../docs/balancing.md');
    expect(readFileSync(file, 'utf8').trimEnd()).toBe(balancingPage(balancingPlugins).trimEnd());
  });
});

describe('the list of balancing methods', () => {
  it('has every method with its paper, and in full its formula', () => {
    for (const plugin of balancingPlugins) {
      expect(balancingText(balancingPlugins, false)).toContain(`${plugin.name}  (${plugin.title})`);
      expect(balancingText(balancingPlugins, false)).toContain(plugin.paper.url);
      expect(balancingText([plugin], true)).toContain('What it changes:');
    }
    const listed = JSON.parse(balancingJson(balancingPlugins)) as { readonly name: string }[];
    expect(listed.map(({ name }) => name)).toEqual(balancingPlugins.map(({ name }) => name));
  });
});

describe('a balancing method by name', () => {
  it('takes options as texts', () => {
    const noise = (specifier: string, seed: number): unknown => {
      const method = chooseBalancing(specifier).create(seed);
      const { parts } = method.modulate!(
        { step: 0, losses: {}, readings: {}, tensors: {}, signals: { a: 1, b: 1 } },
        null,
      );
      return parts['a']!.change !== undefined;
    };
    expect(noise('ogm-ge', 1)).toBe(true);
    expect(noise('ogm-ge:noise=false', 1)).toBe(false);
  });

  it('says which are known, and which one was meant', () => {
    expect(() => findBalancing('ogmge')).toThrow('Did you mean `ogm-ge`?');
    expect(() => chooseBalancing('ogm-ge:alpha=-1')).toThrow('alpha');
    expect(() => chooseBalancing('ogm-ge:alfa=1')).toThrow('alpha');
  });

  it('stands for all by `all`, for no method by `none`', () => {
    const names = balancingPlugins.map(({ name }) => name);
    expect(expandBalancing(['all'])).toEqual([null, ...names]);
    expect(expandBalancing(['ogm-ge:alpha=2', 'all'])).toEqual([
      'ogm-ge:alpha=2',
      null,
      ...names.filter((name) => name !== 'ogm-ge'),
    ]);
  });
});
