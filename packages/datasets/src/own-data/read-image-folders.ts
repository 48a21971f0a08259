import { MultigradError, type OptionSpecs, resolveOptions } from '@multigrad/core/strategy';
import type { Tensor4D } from '@tensorflow/tfjs-core';
import {
  decodePixels,
  imageSize,
  loadDecoder,
  type MakeSharp,
  type PixelFormat,
} from '../decode-image.ts';
import { assertPositions } from '../positions.ts';
import { classColumn } from './classes-from.ts';
import type { ClassColumn, FileColumn, NumberColumn } from './column.ts';
import { findPictures, type FoundPicture, pathOf } from './image-folders.ts';
import type { Part } from './split-positions.ts';

/** Options of {@link readImageFolders}. */
export interface ReadImageFoldersOptions {
  /**
   * Height and width in pixels to which pictures are stretched: one number, or [height, width].
   *
   * @defaultValue the pictures' own, which must then be the same for all of a modality
   */
  readonly size?: number | readonly [height: number, width: number];
  /**
   * 3 for red, green and blue, 1 for gray.
   *
   * @defaultValue 3
   */
  readonly channels?: 1 | 3;
  /**
   * Whether all pictures are decoded at once and kept as bytes, at most 2 GB; else each is decoded whenever a batch needs it.
   *
   * @defaultValue true
   */
  readonly keep?: boolean;
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

/** Most bytes of pictures that are kept, for each modality. */
const mostBytes = 2 ** 31;
/** Pictures that are decoded at a time. */
const atOnce = 32;

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
  { size, channels = 3, parts: withParts, ...given }: ReadImageFoldersOptions = {},
): Promise<ImageFolders<string>> {
  const { keep } = resolveOptions('readImageFolders', specs, given);
  if (![1, 3].includes(channels)) {
    throw new MultigradError(
      'invalid-option',
      `Option \`channels\` of \`readImageFolders\` should be 1 or 3. Found ${JSON.stringify(channels)}.`,
    );
  }
  const format = { size: checkedSize(size), channels };
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
  const decoder = await loadDecoder();
  const inputs = new Map<string, NumberColumn<Tensor4D> | FileColumn<Tensor4D>>();
  for (const [modality, pictures] of found) {
    const pixels = await formatOf(decoder, pictures, format);
    const column = keep
      ? await keptColumn(decoder, pictures, pixels)
      : fileColumn(decoder, pictures, pixels);
    inputs.set(modality, column);
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

function checkedSize(size: unknown): readonly [number, number] | null {
  if (size === undefined) return null;
  const [height, width] = (Array.isArray(size) ? size : [size, size]) as unknown[];
  const isLength = (value: unknown): value is number =>
    Number.isInteger(value) && (value as number) >= 1 && (value as number) <= 65_536;
  if (isLength(height) && isLength(width) && (!Array.isArray(size) || size.length === 2))
    return [height, width];
  throw new MultigradError(
    'invalid-option',
    `Option \`size\` of \`readImageFolders\` should be an integer >= 1, or [height, width]. Found ${JSON.stringify(size)}.`,
  );
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

/** The format of all pictures: what the user wants, or the size that all of them have. */
async function formatOf(
  decoder: MakeSharp,
  pictures: readonly FoundPicture[],
  { size, channels }: { size: readonly [number, number] | null; channels: 1 | 3 },
): Promise<PixelFormat> {
  if (size !== null) return { height: size[0], width: size[1], channels };
  const sizes = await inTurn(pictures, ({ path }) => imageSize(decoder, path));
  const first = sizes[0]!;
  sizes.forEach(({ height, width }, at) => {
    if (height === first.height && width === first.width) return;
    throw new MultigradError(
      'invalid-data',
      `${pictures[at]!.path}: expected ${first.width} x ${first.height} pixels, as in ${pictures[0]!.path}. Found ${width} x ${height}. ` +
        'The option `size` brings all to one size.',
    );
  });
  return { ...first, channels };
}

/**
 * Does something with every picture, some at a time.
 *
 * @throws MultigradError `invalid-data` that tells the first three that fail, and how many do
 */
async function inTurn<T>(
  pictures: readonly FoundPicture[],
  act: (picture: FoundPicture, sample: number) => Promise<T>,
): Promise<T[]> {
  const results: T[] = [];
  const failures: Error[] = [];
  for (let start = 0; start < pictures.length; start += atOnce) {
    const some = pictures.slice(start, start + atOnce);
    for (const result of await Promise.allSettled(some.map((one, at) => act(one, start + at)))) {
      if (result.status === 'fulfilled') results.push(result.value);
      else failures.push(result.reason as Error);
    }
  }
  const [failure] = failures;
  if (failure === undefined) return results;
  if (failures.length === 1 || !MultigradError.isInstance(failure)) throw failure;
  const told = failures.slice(0, 3).map(({ message }) => message);
  throw new MultigradError(
    failure.code,
    `${failures.length} of ${pictures.length} pictures cannot be read. ${told.join(' ')}${failures.length > 3 ? ' …' : ''}`,
    { cause: failure },
  );
}

async function keptColumn(
  decoder: MakeSharp,
  pictures: readonly FoundPicture[],
  format: PixelFormat,
): Promise<NumberColumn<Tensor4D>> {
  const { height, width, channels } = format;
  const size = height * width * channels;
  if (size * pictures.length > mostBytes) {
    throw new MultigradError(
      'unsupported',
      `${pictures.length} pictures of ${width} x ${height} x ${channels} take ${((size * pictures.length) / 2 ** 30).toFixed(1)} GB, more ` +
        'than 2 GB that are kept at most. Take a smaller `size`, or `keep: false`, which decodes them as they are needed.',
    );
  }
  const values = new Uint8Array(size * pictures.length);
  await inTurn(pictures, async ({ path }, sample) => {
    values.set(await decodePixels(decoder, path, format), sample * size);
  });
  return {
    kind: 'numbers',
    count: pictures.length,
    shape: [height, width, channels],
    values,
    unit: 1 / 255,
    where: (sample) => pictures[sample]!.path,
  };
}

function fileColumn(
  decoder: MakeSharp,
  pictures: readonly FoundPicture[],
  format: PixelFormat,
): FileColumn<Tensor4D> {
  const { height, width, channels } = format;
  const size = height * width * channels;
  return {
    kind: 'files',
    count: pictures.length,
    shape: [height, width, channels],
    where: (sample) => pictures[sample]!.path,
    read: async (samples) => {
      assertPositions(samples, pictures.length);
      const values = new Float32Array(samples.length * size);
      await inTurn(
        Array.from(samples, (sample) => pictures[sample]!),
        async ({ path }, at) => {
          const pixels = await decodePixels(decoder, path, format);
          pixels.forEach((pixel, i) => (values[at * size + i] = pixel / 255));
        },
      );
      return values;
    },
  };
}

const specs: OptionSpecs<{ keep?: boolean }> = {
  keep: {
    kind: 'boolean',
    default: true,
    description: 'Whether all pictures are decoded at once and kept.',
  },
};
