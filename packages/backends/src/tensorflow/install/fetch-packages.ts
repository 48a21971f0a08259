import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { MultigradError } from '@multigrad/core/strategy';
import { parseTarGzip } from 'nanotar';
import { sharedName } from '../load-build.ts';
import { hashFile, makeFolder, withFiles } from './files.ts';
import type { PinnedPackage } from './pins.ts';
import type { OnProgress } from './progress.ts';
import { type CommandContext, expectSuccess, runCommand } from './run-command.ts';
import { findNpm } from './tools.ts';

/**
 * The module that stands in for `@tensorflow/tfjs` and `@tensorflow/tfjs-core`: it exports the program's own copy, which is
 * handed over when the build is loaded.
 */
const standIn = `module.exports = globalThis[Symbol.for('${sharedName}')];\n`;

/** Fetches packages with the user's npm, checks them, and unpacks them into `node_modules` of the tree. */
export async function fetchPackages(
  packages: readonly PinnedPackage[],
  tree: string,
  context: CommandContext,
  onProgress: OnProgress,
): Promise<void> {
  const { folder: work } = context;
  const modules = join(tree, 'node_modules');
  const making = join(work, 'node_modules');
  await rm(modules, { recursive: true, force: true });
  await rm(making, { recursive: true, force: true });
  const npm = await findNpm(context);
  const archives = join(work, 'packages');
  await makeFolder(archives);
  for (const [index, wanted] of packages.entries()) {
    const { name, version } = wanted;
    onProgress({ step: 'packages', subject: `${name} ${version}`, share: index / packages.length });
    const words = ['pack', `${name}@${version}`, '--pack-destination', archives, '--json'] as const;
    const result = await runCommand([...npm, ...words, '--ignore-scripts'], {
      ...context,
      folder: archives,
    });
    const { stdout } = expectSuccess(`Fetching ${name} ${version} with npm`, result!);
    const archive = join(archives, archiveIn(stdout, wanted));
    await checkArchive(archive, wanted);
    await withFiles('unpack into', making, () => unpackArchive(archive, join(making, name)));
  }
  for (const name of ['tfjs', 'tfjs-core']) {
    const folder = join(making, '@tensorflow', name);
    await makeFolder(folder);
    await writeFile(join(folder, 'index.js'), standIn);
  }
  await makeFolder(tree);
  await rename(making, modules);
  await rm(archives, { recursive: true, force: true });
}

function archiveIn(output: string, { name, version }: PinnedPackage): string {
  const [packed] = JSON.parse(output) as { readonly filename?: string }[];
  if (packed?.filename !== undefined) {
    // npm before 9 reports `@scope/name` where the file is called `scope-name`.
    return packed.filename.replace('@', '').replace('/', '-');
  }
  throw new MultigradError('io', `npm should name the file of ${name} ${version}. Found ${output}`);
}

async function checkArchive(
  archive: string,
  { name, version, integrity }: PinnedPackage,
): Promise<void> {
  const found = `sha512-${await hashFile(archive, 'sha512', 'base64')}`;
  if (found === integrity) return;
  throw new MultigradError(
    'invalid-data',
    `The checksum of ${name} ${version} from npm should be ${integrity}. Found ${found}; nothing of it was used.`,
  );
}

async function unpackArchive(archive: string, folder: string): Promise<void> {
  for (const { name, type, data } of await parseTarGzip(await readFile(archive))) {
    // All files of a package lie below one folder, `package` as a rule, which is left out.
    const path = name.split('/').slice(1);
    if (type !== 'file' || data === undefined || path.includes('..')) continue;
    const file = join(folder, ...path);
    await makeFolder(dirname(file));
    await writeFile(file, data);
  }
}
