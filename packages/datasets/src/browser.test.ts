import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import * as browser from './browser.ts';
import * as whole from './index.ts';

describe('the entry for browsers', () => {
  it('has everything but what reads files', () => {
    expect(Object.keys(browser).sort()).toEqual(
      Object.keys(whole)
        .filter((name) => !name.startsWith('read'))
        .sort(),
    );
  });

  it('never imports a module of Node', async () => {
    const seen = new Set<string>();
    const visit = async (file: URL): Promise<void> => {
      if (seen.has(file.href)) return;
      seen.add(file.href);
      const text = await readFile(file, 'utf8');
      const imports = Array.from(text.matchAll(/from '([^']+)'/g), ([, from]) => from!);
      expect(imports.filter((from) => from.startsWith('node:'))).toEqual([]);
      const ours = imports.filter((from) => from.startsWith('.'));
      await Promise.all(ours.map(async (from) => visit(new URL(from, file))));
    };
    await visit(new URL('./browser.ts', import.meta.url));
    expect([...seen].some((file) => file.endsWith('/own-data/table.ts'))).toBe(true);
    expect(seen.size).toBeGreaterThan(5);
    expect(seen.has(new URL('./read-mnist.ts', import.meta.url).href)).toBe(false);
  });
});
