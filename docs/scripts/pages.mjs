import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';

// Which file of the repository is which page of the site, and how links between files become links between pages.

export const root = join(import.meta.dirname, '../..');

/** The packages by folder, what everything stands on first, then the strategies. */
export const packageNames = readdirSync(join(root, 'packages')).sort((a, b) =>
  rank(a) === rank(b) ? a.localeCompare(b) : rank(a) - rank(b),
);

function rank(name) {
  if (name === 'core') return 0;
  return name.startsWith('strategy-') ? 2 : 1;
}

/** Pages of the site, as paths below docs/, that are made from files elsewhere in the repository. */
export const borrowedPages = new Map([
  ...packageNames.map((name) => [`packages/${name}.md`, `packages/${name}/README.md`]),
  ['repository/contributing.md', 'CONTRIBUTING.md'],
  ['repository/benchmarks.md', 'bench/README.md'],
  ['repository/outside-strategy.md', 'examples/outside-strategy/README.md'],
  ['repository/pareto-set.md', 'examples/pareto-set/README.md'],
  ['repository/federated.md', 'examples/federated/README.md'],
  ...readdirSync(join(root, 'bench/results'))
    .filter((file) => /\.(md|txt)$/.test(file))
    .map((file) => [
      `repository/measurements/${file.replace(/\.\w+$/, '')}.md`,
      `bench/results/${file}`,
    ]),
]);

const pageOfFile = new Map([...borrowedPages].map(([page, file]) => [file, page]));

/** The address of a page within the site. */
export const addressOf = (page) =>
  `/${page.replace(/(^|\/)index\.md$/, '$1').replace(/\.md$/, '')}`;

/**
 * What a relative link in a file of the repository points to on the site.
 *
 * @param page - the page that has the link, as a path below docs/
 * @param href - as written: relative to the page's own file in the repository
 * @throws Error if there is no page for it
 */
export function siteLink(page, href) {
  if (/^([a-z]+:|\/|#)/i.test(href) || page.startsWith('reference/')) return href;
  const [path, anchor] = href.split('#');
  const source = borrowedPages.get(page) ?? `docs/${page}`;
  const target = posix.normalize(posix.join(posix.dirname(source), path)).replace(/\/$/, '');
  const file = [target, `${target}/README.md`].find((candidate) => pageOfFile.has(candidate));
  let address;
  if (file !== undefined) address = addressOf(pageOfFile.get(file));
  else if (target === 'docs' || target === 'docs/README.md') address = '/';
  else if (target.startsWith('docs/') && existsSync(join(root, target)))
    address = target.endsWith('.md') ? addressOf(target.slice('docs/'.length)) : href;
  else
    throw new Error(`${source}: the link ${href} leads to ${target}, which is no page of the site`);
  // On GitHub `#readme` is the top of a folder's page.
  return anchor === undefined || anchor === 'readme' ? address : `${address}#${anchor}`;
}

/** The pages that docs/README.md lists, section by section: the site's menu. */
export function contents() {
  const text = readFileSync(join(root, 'docs/README.md'), 'utf8');
  return text
    .split(/^## /m)
    .slice(1)
    .map((section) => ({
      title: section.slice(0, section.indexOf('\n')).trim(),
      pages: [...section.matchAll(/^- \[([^\]]+)\]\(([^)]+)\)/gm)].map(([, title, href]) => ({
        title,
        link: siteLink('README.md', href),
      })),
    }));
}

/** Pages below docs/ that are written by hand. */
export const ownPages = () =>
  readdirSync(join(root, 'docs')).filter((file) => file.endsWith('.md') && file !== 'README.md');

export const read = (...path) => readFileSync(join(root, ...path), 'utf8');

/**
 * The picture that an image in a page shows, to be part of the page: only so do its colours follow the site's switch
 * between light and dark.
 *
 * @param index - number of the picture in its page, from 0
 */
export function inlineFigure(file, alt, index) {
  const svg = read(file);
  const own = /<svg[^>]*>|<title>.*?<\/title>|<style>.*?<\/style>/g;
  const size = /width="(\d+)" height="(\d+)" viewBox="[^"]*"/.exec(svg)?.[0];
  if (size === undefined) throw new Error(`${file} is no figure`);
  const label = alt.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;');
  const body = svg
    .replace(own, '')
    .replaceAll(/(id="|url\(#)(\w+)/g, `$1figure-${index}-$2`)
    .trim();
  return `<svg v-pre class="figure" role="img" aria-label="${label}" ${size} font-family="system-ui, sans-serif">${body}`;
}
