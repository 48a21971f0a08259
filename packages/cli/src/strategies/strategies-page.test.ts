import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { builtinPlugins } from './builtin.ts';
import { strategiesPage } from './strategies-page.ts';

describe('the page of strategies', () => {
  it('is what the plugins say; if not, run npm run docs:strategies', () => {
    const file = join(import.meta.dirname, '../../../../docs/strategies.md');
    expect(readFileSync(file, 'utf8').trimEnd()).toBe(strategiesPage(builtinPlugins).trimEnd());
  });

  it('has a row for every strategy, with all that is asked of it', () => {
    for (const plugin of builtinPlugins) {
      expect(plugin.use, plugin.name).toBeDefined();
      expect(plugin.properties, plugin.name).toBeDefined();
    }
    const page = strategiesPage(builtinPlugins);
    for (const { name } of builtinPlugins) {
      expect(page.match(new RegExp(`^\\| .*\\| \`${name}\` \\|`, 'gm')), name).toHaveLength(1);
    }
  });
});
