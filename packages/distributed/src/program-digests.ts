import { createHash } from 'node:crypto';
import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

/** What `import`, `export … from` and `require` name by a path: group 2. */
const paths = /(?:\bfrom|\bimport|\brequire)\s*\(?\s*(['"])(\.{1,2}\/[^'"\n]+)\1/g;

/** What a path may leave out, as `require` lets it. */
const endings = ['', '.js', '.cjs', '.mjs', '.json', '/index.js'] as const;

/**
 * Digests of a program's own files: `main`, and by their paths from its folder those that it imports by a relative path,
 * directly or through each other. Packages and files that are imported by a computed name are left out.
 *
 * @param main - the file that Node runs; undefined where there is none, as with `node -e`
 */
export function programDigests(main: string | undefined): Record<string, string> {
  const first = main === undefined ? null : fileAt(main);
  if (first === null) return {};
  const digests = new Map<string, string>();
  const visit = (file: string): void => {
    const name = file === first ? 'main' : relative(dirname(first), file).replaceAll('\\', '/');
    if (digests.has(name)) return;
    const text = readFileSync(file, 'utf8');
    digests.set(name, createHash('sha256').update(text).digest('hex').slice(0, 16));
    for (const [, , path] of text.matchAll(paths)) {
      const imported = fileAt(join(dirname(file), path!));
      if (imported !== null) visit(imported);
    }
  };
  visit(first);
  return Object.fromEntries(digests);
}

/** The file that a path names; null where there is none. A link counts as what it leads to. */
function fileAt(path: string): string | null {
  const found = endings
    .map((ending) => `${path}${ending}`)
    .find((file) => existsSync(file) && statSync(file).isFile());
  return found === undefined ? null : realpathSync(found);
}
