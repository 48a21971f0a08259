// What the search finds first. Whoever looks for something wants to be told about it: guides come before the packages'
// own pages, and the lists made of them; these before the reference of symbols, whose hundreds of pages would otherwise bury them.

/** Words that people look for, and that the page which answers them has in no title. */
const alsoCalled = {
  'writing-a-strategy.md': 'custom strategy, own strategy, plugin',
  'adam.md': 'learning rate, optimizer',
  'long-runs.md': 'checkpoint, resume, save a model, early stopping',
  'packages/callbacks.md': 'csv log, progress bar, TensorBoard',
  'concepts.md': 'conflict, conflicting gradients',
};

/** The text of a page as the search reads it. */
export function searchText(source, env, markdown) {
  const page = env.relativePath;
  if (env.frontmatter?.search === false) return '';
  // Of a symbol its name and what it is; the rest is lists of fields, which match everything.
  if (/^reference\/@multigrad\/.*\/[a-z-]+\/\w+\.md$/.test(page)) {
    const [title, ...blocks] = source.slice(source.indexOf('\n# ') + 1).split('\n\n');
    const first = blocks.find((block) => /^\w/.test(block)) ?? '';
    return markdown.render(`${title}\n\n${first}\n`, env);
  }
  const html = markdown.render(source, env);
  const words = alsoCalled[page];
  return words === undefined ? html : html.replace('</h1>', `</h1>\n<p>${words}</p>`);
}

/**
 * How much a section counts, by its address. It runs in the reader's browser, as a text: it may use nothing from outside.
 *
 * @param id - the address, with the anchor of the section
 */
export function boostSection(id, term, { title = '', titles = [] } = {}) {
  const path = id.replace(/^.*?\/(?=(reference|packages|repository)\/|[\w-]+\.html)/, '/');
  let boost = 3;
  if (path.startsWith('/reference/')) boost = 0.25;
  else if (path.startsWith('/repository/')) boost = 0.5;
  else if (path.startsWith('/packages/') || /^\/(strategies|balancing)\.html/.test(path)) boost = 1;
  // The page of the strategy, package or guide that has the word for its name.
  const name = titles.length === 0 ? title.toLowerCase() : '';
  if (name.replace(/^@multigrad\/(strategy-)?/, '') === term) boost *= 4;
  // A page before its parts.
  return titles.length === 0 ? boost * 1.5 : boost;
}
