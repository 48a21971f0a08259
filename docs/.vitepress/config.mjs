import process from 'node:process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig } from 'vitepress';
import { formulas } from '../scripts/formulas.mjs';
import { contents, inlineFigure, packageNames, read, root, siteLink } from '../scripts/pages.mjs';
import { boostSection, searchText } from '../scripts/search.mjs';

const packages = (title, chosen) => ({
  text: title,
  items: packageNames
    .filter(chosen)
    .map((name) => ({ text: name.replace('strategy-', ''), link: `/packages/${name}` })),
});
const isStrategy = (name) => name.startsWith('strategy-');

// Menus have no parts that fold: VitePress makes buttons within buttons of them, which screen readers cannot tell apart.
const guides = contents().map(({ title, pages }) => ({
  text: title,
  items: pages.map(({ title: text, link }) => ({ text, link })),
}));
const packagePages = [
  packages('Packages', (name) => !isStrategy(name)),
  packages('Strategies', isStrategy),
];

/** A menu for each package's reference: one of all packages would be in each of hundreds of pages. */
function referenceSidebar() {
  const file = join(root, 'docs/reference/typedoc-sidebar.json');
  if (!existsSync(file)) throw new Error('Run `npm run generate -w docs` first');
  const modules = JSON.parse(read('docs/reference/typedoc-sidebar.json'));
  const open = (items) =>
    items.map(({ text, link, items: below }) => ({ text, link, items: below }));
  const all = { text: 'All packages', link: '/reference/' };
  return Object.fromEntries([
    ...modules.map((module) => [
      module.link,
      [
        all,
        ...modules
          .filter(({ link }) => link.split('/')[3] === module.link.split('/')[3])
          .map((one) => ({ text: one.text, link: one.link, items: open(one.items ?? []) })),
      ],
    ]),
    ['/reference/', [{ ...all, items: modules.map(({ text, link }) => ({ text, link })) }]],
  ]);
}

/** Links that lead from file to file in the repository lead from page to page on the site. */
function repositoryLinks(markdown) {
  markdown.core.ruler.push('repository-links', ({ tokens, env }) => {
    const walk = (token) => {
      for (const name of ['href', 'src']) {
        const value = token.attrGet(name);
        if (value !== null) token.attrSet(name, siteLink(env.relativePath, value));
      }
      token.children?.forEach(walk);
    };
    tokens.forEach(walk);
  });
}

/** Figures become part of their page. */
function figures(markdown) {
  const plain = markdown.renderer.rules.image;
  markdown.renderer.rules.image = (tokens, index, options, env, renderer) => {
    const token = tokens[index];
    const src = token.attrGet('src');
    if (!/^(docs\/)?images\/(figures|results)\/.*\.svg$/.test(src))
      return plain(tokens, index, options, env, renderer);
    env.figures = (env.figures ?? 0) + 1;
    return inlineFigure(`docs/${src.replace(/^docs\//, '')}`, token.content, env.figures);
  };
}

const base = process.env['DOCS_BASE'] ?? '/';
const { repository } = JSON.parse(read('package.json'));
const [source, owner] = /github\.com\/([\w-]+)\/[\w-]+/.exec(repository.url);
const github = `https://${source}`;
const { version } = JSON.parse(read('packages/core/package.json'));
/** Where the site is published: previews of links want whole addresses. */
const origin = process.env['DOCS_ORIGIN'] ?? `https://${owner}.github.io`;
const description =
  'Gradient integration for training neural networks with several objectives, on TensorFlow.js';

const meta = (name, content) => [
  'meta',
  { [name.startsWith('og:') ? 'property' : 'name']: name, content },
];

/** What messengers and networks show of a link to the page. */
function preview({ title, description: own, pageData }) {
  return [
    meta('og:title', title),
    meta('og:description', own || description),
    meta(
      'og:url',
      `${origin}${base}${pageData.relativePath.replace(/(index)?\.md$/, (_, index) => (index ? '' : '.html'))}`,
    ),
  ];
}

/** Pages whose tables want the room that the outline takes. */
const wide =
  /^(strategies|results|balancing-results|short-runs|comparison|choosing-a-strategy|from-.*)\.md$/;

export default defineConfig({
  transformPageData({ relativePath, frontmatter }) {
    return wide.test(relativePath)
      ? { frontmatter: { aside: false, pageClass: 'wide', ...frontmatter } }
      : {};
  },
  title: 'multigrad',
  description,
  lang: 'en-GB',
  head: [
    ['link', { rel: 'icon', type: 'image/svg+xml', href: `${base}icon.svg` }],
    meta('og:type', 'website'),
    meta('og:site_name', 'multigrad'),
    meta('og:image', `${origin}${base}social.png`),
    meta('og:image:width', '1200'),
    meta('og:image:height', '630'),
    meta('og:image:alt', 'multigrad: several losses, one update'),
    meta('twitter:card', 'summary_large_image'),
  ],
  transformHead: preview,
  base,
  // A page loads itself alone: the home page links to the playground, which is large.
  router: { prefetchLinks: false },
  // The menus and the list of pages in files of their own, not in each of hundreds of pages.
  metaChunk: true,
  // The playground's worker loads what it needs piece by piece.
  vite: { worker: { format: 'es' } },
  srcExclude: ['README.md', 'scripts/**'],
  markdown: {
    theme: { light: 'github-light-high-contrast', dark: 'github-dark-high-contrast' },
    config: (markdown) => {
      markdown.use(repositoryLinks).use(figures).use(formulas);
    },
  },
  themeConfig: {
    logo: { src: '/icon.svg', alt: '' },
    nav: [
      {
        text: 'Guides',
        link: contents()[0].pages[0].link,
        activeMatch: '^/(?!$|index|reference/|packages/|playground|try)',
      },
      { text: 'Playground', link: '/playground' },
      { text: 'Try it', link: '/try' },
      { text: 'Packages', link: '/packages/core', activeMatch: '^/packages/' },
      { text: 'Reference', link: '/reference/', activeMatch: '^/reference/' },
      { text: `v${version}`, link: `${github}/releases` },
    ],
    socialLinks: [{ icon: 'github', link: github, ariaLabel: 'multigrad on GitHub' }],
    sidebar: { ...referenceSidebar(), '/packages/': packagePages, '/': guides },
    outline: [2, 3],
    search: {
      provider: 'local',
      options: {
        _render: searchText,
        miniSearch: {
          searchOptions: {
            fuzzy: 0.2,
            prefix: true,
            boost: { title: 4, text: 2, titles: 1 },
            boostDocument: boostSection,
          },
        },
      },
    },
    notFound: { linkLabel: 'Take me home', linkText: 'Take me home' },
  },
});
