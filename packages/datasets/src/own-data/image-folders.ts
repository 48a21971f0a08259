import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MultigradError, own } from '@multigrad/core/strategy';
import { ioError } from '@multigrad/core/support';
import type { Part } from './split-positions.ts';

/** A picture of a modality's folder. */
export interface FoundPicture {
  /** `<class>/<name>`, with the part before it where there are parts, without the ending. */
  readonly key: string;
  readonly path: string;
  readonly className: string;
  readonly part: Part | null;
}

const pictureEnding = /\.(?:png|jpe?g)$/i;
/** What systems leave in folders by themselves. */
const leftByThemselves = new Set(['thumbs.db', 'desktop.ini']);

/** Names that the folders of parts have. */
const partNames: Readonly<Record<string, Part>> = {
  train: 'train',
  validation: 'validation',
  val: 'validation',
  valid: 'validation',
  test: 'test',
};

/** A folder's path, of a path or a URL. */
export function pathOf(folder: string | URL): string {
  return folder instanceof URL ? fileURLToPath(folder) : folder;
}

/**
 * Finds all pictures of `<folder>/<class>/<picture>`, or of `<folder>/<part>/<class>/<picture>`, in alphabetical order.
 *
 * @param withParts - whether there are parts; undefined where there are none, and folders that look like parts are refused
 * @throws MultigradError `io`; `invalid-data` for a file that is no picture and no folder, and for two pictures of one name
 */
export async function findPictures(
  folder: string,
  withParts: boolean | undefined,
): Promise<FoundPicture[]> {
  if (withParts !== true) {
    const classes = await foldersIn(folder, 'a folder for each class, with its pictures');
    if (withParts === undefined && classes.every((name) => Object.hasOwn(partNames, name))) {
      throw new MultigradError(
        'invalid-data',
        `${folder}: expected a folder for each class. Found ${classes.join(', ')}, which look like parts of a data set: write ` +
          '`parts: true` if each of them has a folder for each class, `parts: false` if they are classes.',
      );
    }
    return picturesOfClasses(folder, classes, '', null);
  }
  const found: FoundPicture[] = [];
  const folders = await foldersIn(folder, 'the folders train, test and perhaps validation');
  for (const name of folders) {
    const part = own(partNames, name);
    if (part === undefined) {
      throw new MultigradError(
        'invalid-data',
        `${folder}: expected the folders train, test and perhaps validation. Found ${name}.`,
      );
    }
    const inside = join(folder, name);
    const classes = await foldersIn(inside, 'a folder for each class, with its pictures');
    found.push(...(await picturesOfClasses(inside, classes, `${name}/`, part)));
  }
  return found;
}

async function picturesOfClasses(
  folder: string,
  classes: readonly string[],
  prefix: string,
  part: Part | null,
): Promise<FoundPicture[]> {
  const found: FoundPicture[] = [];
  for (const className of classes) {
    const inside = join(folder, className);
    const names = await namesIn(inside);
    const keys = new Map<string, string>();
    for (const name of names) {
      const path = join(inside, name);
      if (!pictureEnding.test(name)) {
        throw new MultigradError(
          'invalid-data',
          `${path}: expected pictures (.png, .jpg, .jpeg) in the folder of a class. Found something else.`,
        );
      }
      const key = `${prefix}${className}/${name.replace(pictureEnding, '')}`;
      const other = keys.get(key);
      if (other !== undefined) {
        throw new MultigradError(
          'invalid-data',
          `${inside}: expected one picture of each name, since names match pictures of several modalities. Found ${other} and ${name}.`,
        );
      }
      keys.set(key, name);
      found.push({ key, path, className, part });
    }
    if (keys.size > 0) continue;
    throw new MultigradError(
      'invalid-data',
      `${inside}: expected pictures (.png, .jpg, .jpeg). Found none.`,
    );
  }
  return found;
}

/** Names of a folder's entries, in order, without hidden ones. */
async function namesIn(folder: string): Promise<string[]> {
  try {
    const names = await readdir(folder);
    return names
      .filter((name) => !name.startsWith('.') && !leftByThemselves.has(name.toLowerCase()))
      .sort();
  } catch (cause) {
    throw ioError(`read the folder ${folder}`, cause);
  }
}

/** Names of the folders in a folder, links to folders too. */
async function foldersIn(folder: string, expected: string): Promise<string[]> {
  const names = await namesIn(folder);
  for (const name of names) {
    const isFolder = await stat(join(folder, name)).then(
      (entry) => entry.isDirectory(),
      () => false,
    );
    if (isFolder) continue;
    throw new MultigradError(
      'invalid-data',
      `${folder}: expected ${expected}. Found the file ${name}.`,
    );
  }
  if (names.length > 0) return names;
  throw new MultigradError('invalid-data', `${folder}: expected ${expected}. Found nothing.`);
}
