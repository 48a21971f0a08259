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
    const visit = async (file: string): Promise<void> => {
      if (seen.has(file)) return;
      seen.add(file);
      const text = await readFile(new URL(file, import.meta.url), 'utf8');
      const imports = Array.from(text.matchAll(/from '([^']+)'/g), ([, from]) => from!);
      expect(imports.filter((from) => from.startsWith('node:'))).toEqual([]);
      await Promise.all(imports.filter((from) => from.startsWith('./')).map(visit));
    };
    await visit('./browser.ts');
    expect(seen.size).toBeGreaterThan(5);
    expect(seen.has('./read-mnist.ts')).toBe(false);
  });
});
