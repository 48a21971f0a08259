import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Application, Comment } from 'typedoc';
import { packageNames, read, root } from './pages.mjs';

// The reference of every exported symbol, made by typedoc in one pass over the sources of all packages.

/** The sources of the packages' entry points, and the names by which they are imported. */
function entryPoints() {
  return new Map(
    packageNames.flatMap((name) => {
      const manifest = JSON.parse(read('packages', name, 'package.json'));
      return Object.entries(manifest.exports)
        .filter(([path]) => path !== './package.json')
        .map(([path, entry]) => [
          join(root, 'packages', name, entry['@multigrad/source']),
          {
            name: manifest.name + path.slice(1),
            description:
              path === '.'
                ? manifest.description
                : entryDescriptions[manifest.name + path.slice(1)],
          },
        ]);
    }),
  );
}

/** What the entry points are for that packages have beside their main one, whose description is the package's. */
const entryDescriptions = {
  '@multigrad/backends/native':
    'Native TensorFlow: what is installed, and how to install it. For Node',
  '@multigrad/callbacks/terminal': 'The progress bar on a terminal. For Node',
  '@multigrad/checkpoint/model-files': 'Networks as the files that `tf.loadLayersModel` reads',
  '@multigrad/checkpoint/safetensors': 'Reading and writing tensors in the safetensors format',
  '@multigrad/core/files': 'Files that outlive a crash, and locks. For Node',
  '@multigrad/core/strategy':
    'The contract of strategies, Gramian algebra and plugins; no tensor library comes along',
  '@multigrad/distributed/open-mpi': 'Communication among ranks over Open MPI. For Node',
};

/** The first sentence of a description, without links to places beside its page. */
function firstSentence(text) {
  const plain = text.replaceAll(/\[([^\]]+)\]\([^)]*\)/g, '$1');
  const sentence = /^(?:`[^`]*`|[^`])*?[.!?](?=\s|$)/.exec(plain)?.[0] ?? plain;
  return sentence.replace(/:$/, '.');
}

/**
 * Writes the page from which readers start: each entry point with its description, then every symbol of it with the first
 * sentence of its comment.
 */
function writeIndex(folder, names, descriptions) {
  const parts = names.map((name) => {
    const page = readFileSync(join(folder, name, 'index.md'), 'utf8');
    const kinds = page.split('\n## ').slice(1);
    const rows = kinds.flatMap((kind) => {
      const title = kind.slice(0, kind.indexOf('\n'));
      if (title === 'References') return [];
      return [...kind.matchAll(/^\| \[([^\]]+)\]\(([^)]+)\) \| (.*) \|$/gm)].map(
        ([, symbol, link, text]) =>
          `| [${symbol}](${name}/${link}) | ${singular[title] ?? title} | ${firstSentence(text)} |`,
      );
    });
    return `## [${name}](${name}/index.md)\n\n${descriptions.get(name)}\n\n| Name | Kind | What it is |\n| --- | --- | --- |\n${rows.join('\n')}\n`;
  });
  const start =
    '# Reference\n\nEvery exported symbol, by the entry point from which it is imported. The [packages](/packages/core) have pages of their own with examples.\n';
  writeFileSync(join(folder, 'index.md'), `${start}\n${parts.join('\n')}`);
}

/** The core first, then the other packages, then strategies. */
const byRank = (a, b) => rank(a) - rank(b) || a.localeCompare(b);
function rank(name) {
  if (name.startsWith('@multigrad/core')) return 0;
  return name.startsWith('@multigrad/strategy-') ? 2 : 1;
}

/** What one of a kind is called. */
const singular = {
  ...{ Classes: 'class', Functions: 'function', Interfaces: 'interface', Variables: 'constant' },
  ...{ 'Type Aliases': 'type', Enumerations: 'enumeration' },
};

/** Writes the pages and returns the number of warnings. */
export async function writeReference(folder) {
  const entries = entryPoints();
  const app = await Application.bootstrapWithPlugins({
    name: 'Reference',
    plugin: ['typedoc-plugin-markdown', 'typedoc-vitepress-theme'],
    entryPoints: [...entries.keys()],
    tsconfig: join(root, 'tsconfig.tests.json'),
    // `npm run typecheck` does that.
    skipErrorChecking: true,
    basePath: root,
    disableSources: true,
    readme: 'none',
    out: folder,
    docsRoot: join(root, 'docs'),
    router: 'member',
    hidePageHeader: true,
    indexFormat: 'table',
    parametersFormat: 'list',
    interfacePropertiesFormat: 'list',
    useCodeBlocks: true,
    // Options by subject (`@group`), in the order in which a reader needs them.
    groupOrder: [
      'Network',
      'Gradients',
      'Groups',
      'Update',
      'Numbers that are not finite',
      'Ranks',
      'Course',
      'Data',
      'Validation',
      'Callbacks',
      '*',
    ],
    logLevel: 'Warn',
    // Fields whose name and type say it all need no sentence.
    requiredToBeDocumented: [
      'Enum',
      'Variable',
      'Function',
      'Class',
      'Interface',
      'TypeAlias',
      'Method',
      'Accessor',
    ],
    packagesRequiringDocumentation: packageNames.map((name) => `@multigrad/${name}`),
    validation: {
      notExported: true,
      invalidLink: true,
      invalidPath: true,
      rewrittenLink: true,
      notDocumented: true,
      unusedMergeModuleWith: true,
    },
  });
  const project = await app.convert();
  if (project === undefined) throw new Error('typedoc could not read the sources');
  const descriptions = new Map();
  for (const module of project.children) {
    const file = project.getSymbolIdFromReflection(module)?.fileName;
    const entry = entries.get(file);
    if (entry === undefined) throw new Error(`No entry point for the module ${module.name}`);
    // Its own words, from a comment marked @packageDocumentation, or its package's.
    const own = module.comment?.summary.map(({ text }) => text).join('');
    const description = own ?? `${entry.description}.`;
    if (own === undefined && entry.description === undefined)
      throw new Error(`${entry.name} has no description in docs/scripts/reference.mjs`);
    module.name = entry.name;
    module.comment ??= new Comment([{ kind: 'text', text: description }]);
    descriptions.set(entry.name, firstSentence(description.replaceAll('\n', ' ')));
  }
  app.validate(project);
  await app.generateOutputs(project);
  writeIndex(folder, [...descriptions.keys()].sort(byRank), descriptions);
  return app.logger.warningCount + app.logger.errorCount;
}
