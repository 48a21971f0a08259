import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { root } from './pages.mjs';

// Follows every link within the built site: to a page, to a place in a page, to a file. VitePress checks links between its
// pages while it builds, but no anchors.

const site = join(root, 'docs/.vitepress/dist');
const base = process.env['DOCS_BASE'] ?? '/';

const pages = new Map(
  readdirSync(site, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.html'))
    .map((file) => [file.replaceAll('\\', '/'), readFileSync(join(site, file), 'utf8')]),
);
const entities = { amp: '&', quot: '"', lt: '<', gt: '>' };
const plain = (text) =>
  text
    .replace(/&(amp|quot|lt|gt);/g, (_, name) => entities[name])
    .replace(/&#(?:x([0-9a-f]+)|(\d+));/gi, (_, hex, decimal) =>
      String.fromCodePoint(hex === undefined ? Number(decimal) : parseInt(hex, 16)),
    );
const places = new Map(
  Array.from(pages, ([page, html]) => [
    page,
    new Set([...html.matchAll(/\sid="([^"]*)"/g)].map(([, id]) => plain(id))),
  ]),
);

/** The file that an address within the site stands for, or null. */
function fileAt(path) {
  const file = path.slice(base.length).replace(/(^|\/)$/, '$1index.html');
  return existsSync(join(site, file)) && statSync(join(site, file)).isFile() ? file : null;
}

const dead = new Map();
let followed = 0;
for (const [page, html] of pages) {
  const here = new URL(`http://site${base}${page}`);
  for (const [, written] of html.matchAll(/\s(?:href|src)="([^"]*)"/g)) {
    const url = new URL(plain(written), here);
    if (url.host !== 'site') continue;
    followed += 1;
    const path = decodeURIComponent(url.pathname);
    const file = path.startsWith(base) ? fileAt(path) : null;
    const anchor = decodeURIComponent(url.hash.slice(1));
    const missing = file === null ? `${path} does not exist` : `${file} has no place #${anchor}`;
    if (file !== null && (anchor === '' || !pages.has(file) || places.get(file).has(anchor)))
      continue;
    dead.set(missing, [...(dead.get(missing) ?? []), page]);
  }
}
for (const [missing, from] of dead)
  console.error(
    `${missing}; linked from ${from.slice(0, 3).join(', ')}${from.length > 3 ? `, and ${from.length - 3} more` : ''}`,
  );
console.log(`${pages.size} pages, ${followed} links within the site, ${dead.size} dead`);
if (dead.size > 0) process.exitCode = 1;
