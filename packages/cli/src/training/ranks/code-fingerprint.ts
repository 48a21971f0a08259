import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { parseRunLabel } from '../../runs/run-label.ts';
import { isPath } from '../../shared/outside-module.ts';
import { parseStrategySpecifier } from '@multigrad/core/strategy';

/** The packages whose code decides what a run computes. */
const packages = [
  'backends',
  'balancing',
  'core',
  'datasets',
  'distributed',
  'models',
  'scalarization',
] as const;

/**
 * Digests of the code that ranks run, by name: of this program, of the packages that it trains with, and of strategies in
 * files.
 *
 * @param folder - what paths of strategies are relative to
 */
export function codeFingerprint(
  strategies: readonly string[],
  folder: string,
): Record<string, string> {
  const require = createRequire(import.meta.url);
  const own = [['cli', join(import.meta.dirname, '..', '..')] as const];
  const used = packages.map(
    (name) => [name, dirname(require.resolve(`@multigrad/${name}`))] as const,
  );
  const files = strategies
    .map((specifier) => parseStrategySpecifier(parseRunLabel(specifier).strategy).name)
    .filter(isPath)
    .map((name) => [name, resolve(folder, name)] as const);
  return Object.fromEntries(
    [...own, ...used, ...files].map(([name, path]) => [name, digest(path)]),
  );
}

/** The digest of a file, or of all code below a folder. */
function digest(path: string): string {
  const hash = createHash('sha256');
  if (!existsSync(path)) return 'none';
  for (const file of codeFiles(path)) hash.update(readFileSync(file));
  return hash.digest('hex').slice(0, 16);
}

function codeFiles(path: string): string[] {
  const entries = readEntries(path);
  if (entries === null) return [path];
  return entries
    .map(({ name, parentPath }) => join(parentPath, name))
    .filter((file) => /\.(m?js|ts|wasm)$/.test(file) && !file.endsWith('.d.ts'))
    .sort();
}

function readEntries(path: string): ReturnType<typeof entriesBelow> | null {
  return /\.[cm]?js$/.test(path) ? null : entriesBelow(path);
}

function entriesBelow(path: string) {
  return readdirSync(path, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
}
