import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';

const packages = join(import.meta.dirname, '..', 'packages');

/** The packages that a file loads before it runs, by static imports, through files of ours; types load nothing. */
function loadedBy(file: string, seen = new Set<string>(), found = new Set<string>()): Set<string> {
  if (seen.has(file)) return found;
  seen.add(file);
  const statements = /^(?:import|export)\s+(?!type\b)(?:[^'";]*?\sfrom\s+)?'([^']+)'/gm;
  for (const [, specifier] of readFileSync(file, 'utf8').matchAll(statements)) {
    const source = sourceOf(file, specifier!);
    if (source === null) found.add(specifier!);
    else loadedBy(source, seen, found);
  }
  return found;
}

/** The source file that a specifier names, where it is one of ours. */
function sourceOf(file: string, specifier: string): string | null {
  if (specifier.startsWith('.')) return join(dirname(file), specifier);
  const [, name, entry] = /^@multigrad\/([^/]+)(?:\/(.+))?$/.exec(specifier) ?? [];
  const folder = join(packages, name ?? '', 'package.json');
  if (name === undefined || !existsSync(folder)) return null;
  const { exports } = JSON.parse(readFileSync(folder, 'utf8')) as {
    exports: Record<string, { '@multigrad/source': string }>;
  };
  return join(
    packages,
    name,
    exports[entry === undefined ? '.' : `./${entry}`]!['@multigrad/source'],
  );
}

const tensors = (specifiers: ReadonlySet<string>): string[] =>
  [...specifiers].filter((one) => one.startsWith('@tensorflow/'));

describe('starting', () => {
  it('multigrad loads no tensor library before a command is named', () => {
    const loaded = loadedBy(join(packages, 'cli/src/main.ts'));
    expect(loaded).toContain('commander');
    expect(tensors(loaded)).toEqual([]);
  });

  it('the command compare does', () => {
    expect(tensors(loadedBy(join(packages, 'cli/src/commands/compare.ts')))).not.toEqual([]);
  });

  it('a strategy loads none', () => {
    expect(tensors(loadedBy(join(packages, 'strategy-mmpareto/src/index.ts')))).toEqual([]);
  });
});
