import { MultigradError } from '@multigrad/core/strategy';
import type { Tensor4D } from '@tensorflow/tfjs-core';
import { classColumn } from './classes-from.ts';
import type { ClassColumn, FileColumn, NumberColumn } from './column.ts';
import { findPictures, type FoundPicture, pathOf } from './image-folders.ts';
import { pictureColumn, pictureFormat, type PictureOptions } from './picture-column.ts';
import type { Part } from './split-positions.ts';

/** Options of {@link readImageFolders}. */
export interface ReadImageFoldersOptions extends PictureOptions {
  /**
   * Whether the folder has a folder for each part, `train`, `test` and perhaps `validation` (or `val`), and classes below.
   *
   * @defaultValue false
   */
  readonly parts?: boolean;
}

/** Pictures by modality, with their classes. */
export interface ImageFolders<Modality extends string> {
  /** Each modality's pictures: batches are n × height × width × channels, from 0 (black) to 1. */
  readonly inputs: Readonly<Record<Modality, NumberColumn<Tensor4D> | FileColumn<Tensor4D>>>;
  /** The classes, named after their folders, in the order of their names. */
  readonly classes: ClassColumn;
  /** The part of each picture, for the option `parts` of {@link dataSets}; only with the option `parts`. */
  readonly parts: readonly (Part | null)[] | undefined;
  /** Each sample's class and name without the ending, such as `cat/0001`. */
  readonly names: readonly string[];
}

/**
 * Reads pictures from a folder with a folder for each class (Node): `<folder>/<class>/<picture>.png` or `.jpg`. Several
 * modalities are several such folders with the same classes and names, such as views from two sides.
 *
 * Decoding takes the package [`sharp`](https://sharp.pixelplumbing.com), which you install. Pictures are turned as their EXIF
 * data say; what is transparent becomes white.
 *
 * @param folders - a path or URL for one modality, called `image`; a record of them by modality otherwise
 * @throws MultigradError `io`; `invalid-data` for damaged pictures (the first three are named), pictures of several sizes
 * without `size`, files that are no pictures, and pictures that a modality lacks; `unsupported` without `sharp`, and for more
 * than 2 GB to be kept; `invalid-option`
 *
 * @example
 * ```ts
 * import { MultigradError } from '@multigrad/core/strategy';
 * import { dataSets, readImageFolders } from '@multigrad/datasets';
 *
 * try {
 *   const shots = await readImageFolders({ front: 'shots/front', rear: 'shots/rear' }, { size: 32 });
 *   const data = dataSets({ inputs: shots.inputs, targets: { kind: shots.classes } });
 *   // [ 32, 32, 3 ]
 *   console.log(data.summary, data.shapes.front);
 * } catch (error) {
 *   console.log(MultigradError.isInstance(error), String(error)); // true … Cannot read the folder …
 * }
 * ```
 */
export async function readImageFolders(
  folders: string | URL,
  options?: ReadImageFoldersOptions,
): Promise<ImageFolders<'image'>>;
export async function readImageFolders<Modality extends string>(
  folders: Readonly<Record<Modality, string | URL>>,
  options?: ReadImageFoldersOptions,
): Promise<ImageFolders<Modality>>;
export async function readImageFolders(
  folders: string | URL | Readonly<Record<string, string | URL>>,
  { parts: withParts, ...given }: ReadImageFoldersOptions = {},
): Promise<ImageFolders<string>> {
  const options = pictureFormat('readImageFolders', given);
  const named =
    typeof folders === 'string' || folders instanceof URL ? { image: folders } : folders;
  const found = new Map<string, FoundPicture[]>();
  for (const [modality, folder] of Object.entries(named))
    found.set(modality, await findPictures(pathOf(folder), withParts));
  assertSameNames(found);
  const [first] = [...found.values()];
  if (first === undefined) {
    throw new MultigradError(
      'invalid-argument',
      '`readImageFolders` should get at least one folder. Found none.',
    );
  }
  const inputs = new Map<string, NumberColumn<Tensor4D> | FileColumn<Tensor4D>>();
  for (const [modality, pictures] of found) {
    const paths = pictures.map(({ path }) => path);
    inputs.set(modality, await pictureColumn(paths, options));
  }
  return {
    inputs: Object.fromEntries(inputs),
    classes: classColumn(
      first.map(({ className }) => className),
      undefined,
      (sample) => first[sample]!.path,
    ),
    parts: withParts === true ? first.map(({ part }) => part) : undefined,
    names: first.map(({ key }) => key),
  };
}

/** @throws MultigradError `invalid-data` naming the picture that a modality lacks */
function assertSameNames(found: ReadonlyMap<string, readonly FoundPicture[]>): void {
  const [[first, pictures] = ['', []], ...others] = [...found] as [
    string,
    readonly FoundPicture[],
  ][];
  for (const [modality, theirs] of others) {
    const ours = new Map(pictures.map((picture) => [picture.key, picture]));
    const own = new Map(theirs.map((picture) => [picture.key, picture]));
    const lacking = pictures.filter(({ key }) => !own.has(key));
    const more = theirs.filter(({ key }) => !ours.has(key));
    if (lacking.length + more.length === 0) continue;
    const [picture] = [...lacking, ...more];
    const where = lacking.length > 0 ? modality : first;
    throw new MultigradError(
      'invalid-data',
      `Modalities should have pictures of the same classes and names. \`${where}\` has none for ${picture!.path}` +
        `${lacking.length + more.length > 1 ? `, and ${lacking.length + more.length - 1} more differ` : ''}.`,
    );
  }
}

/**
 * Reads pictures from files, PNG or JPEG (Node): an input whose other columns come from elsewhere, such as a table with a
 * column of file names. Options and errors are those of {@link readImageFolders}.
 *
 * @param files - a path or URL for each sample
 *
 * @example
 * ```ts
 * import { MultigradError } from '@multigrad/core/strategy';
 * import { dataSets, parseCsv, readImages } from '@multigrad/datasets';
 *
 * const table = parseCsv('photo,age,sex\n1.png,31,f\n2.png,27,m\n', 'faces.csv'); // or await readCsv('faces.csv')
 * try {
 *   const face = await readImages(table.words('photo').map((name) => `photos/${name}`), { size: 64 });
 *   const targets = { age: table.numbers('age'), sex: table.classes('sex') };
 *   console.log(dataSets({ inputs: { face }, targets }).summary);
 * } catch (error) {
 *   // There are no such files here.
 *   console.log(MultigradError.isInstance(error), String(error));
 * }
 * ```
 */
export async function readImages(
  files: readonly (string | URL)[],
  options: PictureOptions = {},
): Promise<NumberColumn<Tensor4D> | FileColumn<Tensor4D>> {
  const format = pictureFormat('readImages', options);
  if (files.length > 0) return pictureColumn(files.map(pathOf), format);
  throw new MultigradError(
    'invalid-argument',
    '`readImages` should get at least one file. Found none.',
  );
}
