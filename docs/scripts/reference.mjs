import { join } from 'node:path';
import { Application } from 'typedoc';
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
          manifest.name + path.slice(1),
        ]);
    }),
  );
}

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
  for (const module of project.children) {
    const file = project.getSymbolIdFromReflection(module)?.fileName;
    const name = entries.get(file);
    if (name === undefined) throw new Error(`No entry point for the module ${module.name}`);
    module.name = name;
  }
  app.validate(project);
  await app.generateOutputs(project);
  return app.logger.warningCount + app.logger.errorCount;
}
