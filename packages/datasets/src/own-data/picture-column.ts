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
import type { FileColumn, NumberColumn } from './column.ts';

/** How pictures are decoded. */
export interface PictureOptions {
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
}

/** Most bytes of pictures that are kept, for each modality. */
const mostBytes = 2 ** 31;
/** Pictures that are decoded at a time. */
const atOnce = 32;

/** Checked {@link PictureOptions}. */
export interface PictureFormat {
  /** Null for the pictures' own. */
  readonly size: readonly [height: number, width: number] | null;
  readonly channels: 1 | 3;
  readonly keep: boolean;
}

/**
 * @param owner - the function that users called, for messages
 * @throws MultigradError `invalid-option`
 */
export function pictureFormat(
  owner: string,
  { size, channels = 3, ...given }: PictureOptions,
): PictureFormat {
  const { keep } = resolveOptions(owner, specs, given);
  if (![1, 3].includes(channels)) {
    throw new MultigradError(
      'invalid-option',
      `Option \`channels\` of \`${owner}\` should be 1 or 3. Found ${JSON.stringify(channels)}.`,
    );
  }
  return { size: checkedSize(owner, size), channels, keep };
}

function checkedSize(owner: string, size: unknown): readonly [number, number] | null {
  if (size === undefined) return null;
  const [height, width] = (Array.isArray(size) ? size : [size, size]) as unknown[];
  const isLength = (value: unknown): value is number =>
    Number.isInteger(value) && (value as number) >= 1 && (value as number) <= 65_536;
  if (isLength(height) && isLength(width) && (!Array.isArray(size) || size.length === 2))
    return [height, width];
  throw new MultigradError(
    'invalid-option',
    `Option \`size\` of \`${owner}\` should be an integer >= 1, or [height, width]. Found ${JSON.stringify(size)}.`,
  );
}

/**
 * Pictures as a column: decoded at once and kept, or read from their files when a batch is made.
 *
 * @throws MultigradError `invalid-data`, `io`, `unsupported`
 */
export async function pictureColumn(
  paths: readonly string[],
  { keep, ...wanted }: PictureFormat,
): Promise<NumberColumn<Tensor4D> | FileColumn<Tensor4D>> {
  const decoder = await loadDecoder();
  const format = await formatOf(decoder, paths, wanted);
  return keep ? keptColumn(decoder, paths, format) : fileColumn(decoder, paths, format);
}

/** The format of all pictures: what the user wants, or the size that all of them have. */
async function formatOf(
  decoder: MakeSharp,
  paths: readonly string[],
  { size, channels }: Omit<PictureFormat, 'keep'>,
): Promise<PixelFormat> {
  if (size !== null) return { height: size[0], width: size[1], channels };
  const sizes = await inTurn(paths, (path) => imageSize(decoder, path));
  const first = sizes[0]!;
  sizes.forEach(({ height, width }, at) => {
    if (height === first.height && width === first.width) return;
    throw new MultigradError(
      'invalid-data',
      `${paths[at]!}: expected ${first.width} x ${first.height} pixels, as in ${paths[0]!}. Found ${width} x ${height}. ` +
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
  paths: readonly string[],
  act: (path: string, sample: number) => Promise<T>,
): Promise<T[]> {
  const results: T[] = [];
  const failures: Error[] = [];
  for (let start = 0; start < paths.length; start += atOnce) {
    const some = paths.slice(start, start + atOnce);
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
    `${failures.length} of ${paths.length} pictures cannot be read. ${told.join(' ')}${failures.length > 3 ? ' …' : ''}`,
    { cause: failure },
  );
}

async function keptColumn(
  decoder: MakeSharp,
  paths: readonly string[],
  format: PixelFormat,
): Promise<NumberColumn<Tensor4D>> {
  const { height, width, channels } = format;
  const size = height * width * channels;
  if (size * paths.length > mostBytes) {
    throw new MultigradError(
      'unsupported',
      `${paths.length} pictures of ${width} x ${height} x ${channels} take ${((size * paths.length) / 2 ** 30).toFixed(1)} GB, more ` +
        'than 2 GB that are kept at most. Take a smaller `size`, or `keep: false`, which decodes them as they are needed.',
    );
  }
  const values = new Uint8Array(size * paths.length);
  await inTurn(paths, async (path, sample) => {
    values.set(await decodePixels(decoder, path, format), sample * size);
  });
  return {
    kind: 'numbers',
    count: paths.length,
    shape: [height, width, channels],
    values,
    unit: 1 / 255,
    where: (sample) => paths[sample]!,
  };
}

function fileColumn(
  decoder: MakeSharp,
  paths: readonly string[],
  format: PixelFormat,
): FileColumn<Tensor4D> {
  const { height, width, channels } = format;
  const size = height * width * channels;
  return {
    kind: 'files',
    count: paths.length,
    shape: [height, width, channels],
    where: (sample) => paths[sample]!,
    read: async (samples) => {
      assertPositions(samples, paths.length);
      const values = new Float32Array(samples.length * size);
      await inTurn(
        Array.from(samples, (sample) => paths[sample]!),
        async (path, at) => {
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
