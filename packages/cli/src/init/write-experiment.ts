import { createRequire } from 'node:module';
import { basename, dirname, join, resolve } from 'node:path';
import { MultigradError } from '@multigrad/core/strategy';
import { isMissing, ioError } from '@multigrad/core/support';
import { type Files, makeFolders, removeTree, writeDurably } from '@multigrad/core/files';

/**
 * The name of an experiment in a folder: the folder's own.
 *
 * @throws MultigradError `invalid-argument` for a name that is not in kebab case
 */
export function experimentName(folder: string): string {
  const name = basename(resolve(folder));
  if (/^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/.test(name)) return name;
  throw new MultigradError(
    'invalid-argument',
    `An experiment is called after its folder, in kebab case, as in \`my-experiment\`. Found \`${name}\`.`,
  );
}

/**
 * Writes a folder whole or not at all.
 *
 * @param contents - text by file name
 * @throws MultigradError `io`, also where there is something of that name already, unless it is an empty folder
 */
export async function writeNewFolder(
  files: Files,
  folder: string,
  contents: ReadonlyMap<string, string>,
): Promise<void> {
  await assertFree(files, folder);
  const part = join(dirname(folder), `.${basename(folder)}.part`);
  try {
    await removeTree(files, part);
    await makeFolders(files, part);
    for (const [name, text] of contents)
      await writeDurably(files, join(part, name), [new TextEncoder().encode(text)]);
    // Fails where something was put there meanwhile; an empty folder is replaced, on Windows once it is gone.
    if (process.platform === 'win32') await files.removeFolder(folder).catch(() => undefined);
    await files.rename(part, folder);
  } catch (cause) {
    await removeTree(files, part).catch(() => undefined);
    throw ioError(`write ${folder}`, cause);
  }
}

async function assertFree(files: Files, folder: string): Promise<void> {
  try {
    const { kind } = await files.look(folder);
    if (kind === 'folder' && (await files.list(folder)).length === 0) return;
    throw new MultigradError(
      'io',
      `\`multigrad init\` writes a new folder and overwrites nothing. Found ${kind === 'folder' ? 'a folder with files' : 'a file'} at ${folder}.`,
    );
  } catch (error) {
    if (MultigradError.isInstance(error)) throw error;
    if (!isMissing(error)) throw ioError(`look at ${folder}`, error);
  }
}

/** Whether an experiment in the folder finds the packages that it imports. */
export function findsPackages(folder: string): boolean {
  const { resolve: find } = createRequire(join(folder, 'experiment.js'));
  return ['@multigrad/datasets', '@multigrad/experiment', '@multigrad/models'].every((name) => {
    try {
      find(`${name}/package.json`);
      return true;
    } catch {
      return false;
    }
  });
}
