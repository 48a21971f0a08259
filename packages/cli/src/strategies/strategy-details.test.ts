import { descriptions } from '@multigrad/composition';
import * as composition from '@multigrad/composition';
import { createStrategy, parseStrategySpecifier } from '@multigrad/core/strategy';
import { describe, expect, it } from 'vitest';
import { listedPlugins } from './listed-plugins.ts';
import {
  compositionDetails,
  exampleSpecifier,
  promises,
  strategyDetails,
} from './strategy-details.ts';

describe('a strategy in full', () => {
  it.each(listedPlugins().map((plugin) => [plugin.name, plugin] as const))(
    'has a formula and an example that works: %s',
    (name, plugin) => {
      expect(plugin.formula, name).toMatch(/u =/);
      const example = exampleSpecifier(name, plugin);
      expect(createStrategy(plugin, parseStrategySpecifier(example).options).name).toBe(name);
      const text = strategyDetails(name, plugin);
      expect(text).toContain(example);
      // An address and a command are not broken.
      const lines = text.split('\n').filter((line) => !/^ *\S+$|multigrad compare/.test(line));
      expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
    },
  );

  it('says every property, kept or denied, once', () => {
    for (const { name, properties } of listedPlugins()) {
      if (properties === undefined) continue;
      const { kept, denied } = promises(properties);
      const told = typeof properties.single === 'function' ? 5 : 6;
      expect(kept.length + denied.length, name).toBe(told);
    }
  });

  it('describes every function that makes a strategy of another', () => {
    const made = Object.keys(composition).filter((name) => name !== 'descriptions');
    expect(descriptions.map(({ name }) => name).sort()).toEqual(made.sort());
    for (const one of descriptions) {
      expect(compositionDetails(one)).toContain(`import { ${one.name} } from`);
      for (const option of Object.keys(one.options)) expect(one.call).toContain(`${option}:`);
    }
  });
});
