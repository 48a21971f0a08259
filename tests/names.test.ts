import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { GradientStrategy, StrategyPlugin } from '@multigrad/core/strategy';
import * as scalarization from '@multigrad/scalarization';
import { describe, expect, it } from 'vitest';

// A strategy has one name. From what a user writes on the command line follow its package, its file, its factory and its types.

const root = join(import.meta.dirname, '..');
const capital = (word: string): string => word[0]!.toUpperCase() + word.slice(1);
const pascal = (name: string): string => name.split('-').map(capital).join('');
const camel = (name: string): string => pascal(name).replace(/^./, (first) => first.toLowerCase());

type Factory = (options: object) => GradientStrategy;

/** Names of the types of options and states that a package exports. */
function typesOf(folder: string): string[] {
  const report = readFileSync(join(root, 'api', `${folder}.api.md`), 'utf8');
  return Array.from(report.matchAll(/^export (?:interface|type) (\w+)/gm), ([, name]) => name!);
}

const packages = readdirSync(join(root, 'packages'))
  .filter((folder) => folder.startsWith('strategy-'))
  .map((folder) => folder.slice('strategy-'.length));

describe.each(packages)('strategy-%s', (name) => {
  it('has one name in its package, file, plugin, factory and types', async () => {
    const exported = (await import(`@multigrad/strategy-${name}`)) as Record<string, unknown>;
    expect((exported['plugin'] as StrategyPlugin).name).toBe(name);
    expect(Object.keys(exported).sort()).toEqual([camel(name), 'plugin'].sort());
    expect((exported[camel(name)] as Factory)({}).name).toBe(name);
    expect(readdirSync(join(root, 'packages', `strategy-${name}`, 'src'))).toContain(`${name}.ts`);
    const types = [`${pascal(name)}Options`, `${pascal(name)}State`];
    for (const type of typesOf(`strategy-${name}`)) expect(types).toContain(type);
  });
});

describe('scalarization', () => {
  it.each(scalarization.plugins.map(({ name }) => name))(
    '%s has one name in its plugin, file and factory',
    (name) => {
      const exported = scalarization as unknown as Record<string, Factory>;
      expect(exported[camel(name)]!({}).name).toBe(name);
      expect(readdirSync(join(root, 'packages', 'scalarization', 'src'))).toContain(`${name}.ts`);
    },
  );
});
