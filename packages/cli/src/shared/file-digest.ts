import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

const relativeImport = /(?:from|import|require)\s*\(?\s*['"](\.{1,2}\/[^'"]+)['"]/g;

/** A digest of a module's text and of the texts of all files that it imports by relative paths. */
export function moduleDigest(path: string): string {
  const hash = createHash('sha256');
  const seen = new Set<string>();
  const add = (file: string): void => {
    if (seen.has(file) || !existsSync(file) || !statSync(file).isFile()) return;
    seen.add(file);
    const text = readFileSync(file, 'utf8');
    hash.update(text);
    for (const [, imported] of text.matchAll(relativeImport))
      add(resolve(dirname(file), imported!));
  };
  add(path);
  return hash.digest('hex').slice(0, 16);
}
