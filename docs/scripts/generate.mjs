import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { writeDigits } from './digits.mjs';
import { borrowedPages, contents, ownPages, read, root } from './pages.mjs';
import { writeReference } from './reference.mjs';

// Makes what of the site is not written by hand: the packages' own pages, the playground's digits, and the reference.

const docs = join(root, 'docs');
for (const folder of ['packages', 'reference', 'repository'])
  rmSync(join(docs, folder), { recursive: true, force: true });

for (const [page, file] of borrowedPages) {
  const text = read(file);
  const reference = /^packages\/(.*)\.md$/.exec(page)?.[1];
  const body = file.endsWith('.txt')
    ? `# ${file.replace(/^.*\/|\.txt$/g, '')}\n\n\`\`\`txt\n${text.trimEnd()}\n\`\`\`\n`
    : text;
  const path = join(docs, page);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(
    path,
    reference === undefined
      ? body
      : `${body}\n## Exported symbols\n\n[Reference of \`@multigrad/${reference}\`](/reference/@multigrad/${reference}/)\n`,
  );
}

await writeDigits(join(docs, 'playground/training/digits.bin'));

const listed = new Set(contents().flatMap(({ pages }) => pages.map(({ link }) => link)));
const forgotten = ownPages().filter(
  (page) => page !== 'index.md' && !listed.has(`/${page.slice(0, -3)}`),
);
if (forgotten.length > 0)
  throw new Error(
    `docs/README.md, from which the menu is made, does not list ${forgotten.join(', ')}`,
  );

const warnings = await writeReference(join(docs, 'reference'));
if (warnings > 0) {
  console.error(`The reference has ${warnings} warnings; every one has to be mended.`);
  process.exitCode = 1;
}
