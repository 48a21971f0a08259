import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';

/**
 * A browser bundle of one named export of a package, with all that it needs.
 *
 * @returns the size, minified and gzipped, in bytes, and the modules that are in it
 */
export async function bundle(root, packageName, exported) {
  const entry = '\0entry';
  const { output } = await build({
    root,
    configFile: false,
    logLevel: 'silent',
    plugins: [
      {
        name: 'one-export',
        enforce: 'pre',
        resolveId(id, from) {
          if (id === 'entry') return entry;
          // As the command does, which depends on every strategy.
          if (from === entry) return this.resolve(id, join(root, 'packages/cli/package.json'));
          return undefined;
        },
        load: (id) => (id === entry ? `export { ${exported} } from '${packageName}';` : undefined),
      },
    ],
    build: {
      write: false,
      minify: true,
      target: 'es2023',
      modulePreload: false,
      rolldownOptions: { input: 'entry', preserveEntrySignatures: 'strict' },
    },
  });
  const chunks = output.filter(({ type }) => type === 'chunk');
  const modules = chunks.flatMap((chunk) =>
    Object.entries(chunk.modules).flatMap(([id, { code }]) => (code ? [id] : [])),
  );
  const text = chunks.map(({ code }) => code).join('');
  return {
    bytes: gzipSync(text, { level: 9 }).length,
    modules,
    imports: chunks.flatMap(({ imports }) => imports),
  };
}
