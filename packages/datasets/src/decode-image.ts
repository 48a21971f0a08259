import { open } from 'node:fs/promises';
import { MultigradError, type Random } from '@multigrad/core/strategy';
import { ioError } from '@multigrad/core/support';

/** The part of `sharp` that is used here. */
interface Sharp {
  metadata(): Promise<{
    readonly width?: number;
    readonly height?: number;
    /** Sizes once the picture is turned as its EXIF data say. */
    readonly autoOrient?: { readonly width: number; readonly height: number };
  }>;
  extract(area: Area): Sharp;
  autoOrient(): Sharp;
  flatten(options: { background: string }): Sharp;
  resize(width: number, height: number, options: { fit: 'fill'; kernel: 'linear' }): Sharp;
  flop(flop: boolean): Sharp;
  removeAlpha(): Sharp;
  toColourspace(space: 'srgb' | 'b-w'): Sharp;
  raw(options?: { depth: 'uchar' }): Sharp;
  toBuffer(options: { resolveWithObject: true }): Promise<{
    readonly data: Uint8Array;
    readonly info: { readonly channels: number };
  }>;
}

/** A rectangle of an image, in pixels. */
export interface Area {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** The decoder: `sharp` itself. */
export type MakeSharp = (path: string) => Sharp;

/** How an image is cropped and scaled. */
export interface ImageView {
  /** Height and width of what is returned, in pixels. */
  readonly size: number;
  /** Draws a random crop and flip, for training; null sees the whole image. */
  readonly random: Random | null;
}

/**
 * The library that decodes images, which is an optional peer.
 *
 * @throws MultigradError `unsupported` where it is not installed
 */
export async function loadDecoder(name = 'sharp'): Promise<MakeSharp> {
  try {
    const module = (await import(name)) as { readonly default: MakeSharp };
    return module.default;
  } catch (cause) {
    throw new MultigradError(
      'unsupported',
      'Reading pictures needs the npm package `sharp`, which does not load here. Install it beside @multigrad/datasets: ' +
        `npm install sharp. (${cause instanceof Error ? cause.message : String(cause)})`,
      { cause },
    );
  }
}

/** Mean and standard deviation of ImageNet's red, green and blue, 0 to 1. */
const means = [0.485, 0.456, 0.406] as const;
const deviations = [0.229, 0.224, 0.225] as const;

/** Greatest number of pixels of a picture, 2²⁶; the side has a limit too. The decoder takes memory for all of them. */
const mostPixels = 2 ** 26;
const longestSide = 2 ** 16;

/** The first bytes of a PNG file and of a JPEG file. */
const signatures = {
  png: [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a],
  jpeg: [0xff, 0xd8, 0xff],
} as const;

/**
 * Most pixels for each byte of a file: a PNG pixel takes at least a bit, and one compressed byte gives at most 1032
 * bytes.
 */
const mostPixelsPerByte = { png: 8 * 1032, jpeg: Infinity } as const;

/**
 * Checks a file's first bytes, whatever its name says: the decoder also knows formats that are like programs, such as
 * SVG.
 *
 * @returns how many pixels a file of its format and size can hold
 * @throws MultigradError `io`, and `invalid-data` for a file that is neither PNG nor JPEG
 */
async function pixelsWithin(path: string): Promise<number> {
  const start = new Uint8Array(8);
  let size: number;
  try {
    const file = await open(path, 'r');
    try {
      await file.read(start, 0, start.length, 0);
      ({ size } = await file.stat());
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw ioError(`read ${path}`, cause);
  }
  for (const format of ['png', 'jpeg'] as const) {
    const known = signatures[format].every((byte, index) => start[index] === byte);
    if (known) return size * mostPixelsPerByte[format];
  }
  const hex = Array.from(start, (byte) => byte.toString(16).padStart(2, '0')).join(' ');
  throw new MultigradError(
    'invalid-data',
    `${path}: expected an image, PNG or JPEG. Found a file that begins with ${hex}.`,
  );
}

/**
 * An image as `size · size · 3` numbers, `(value/255 − mean)/deviation` with ImageNet's means and deviations.
 *
 * @throws MultigradError `invalid-data` for a file that is no PNG or JPEG image, `io`
 */
export async function decodeImage(
  decoder: MakeSharp,
  path: string,
  { size, random }: ImageView,
): Promise<Float32Array> {
  const within = await pixelsWithin(path);
  const pixels = await asImage(path, async () => {
    const { width = 0, height = 0 } = await decoder(path).metadata();
    checkSize(width, height, within);
    const whole = { left: 0, top: 0, width, height };
    const area = random === null ? whole : randomArea(width, height, random);
    const flip = random !== null && random.uniform() < 0.5;
    const { data, info } = await decoder(path)
      .extract(area)
      .resize(size, size, { fit: 'fill', kernel: 'linear' })
      .flop(flip)
      .removeAlpha()
      .toColourspace('srgb')
      .raw()
      .toBuffer({ resolveWithObject: true });
    return info.channels === 3 ? data : grayToColour(data, info.channels);
  });
  return Float32Array.from(
    pixels,
    (value, i) => (value / 255 - means[i % 3]!) / deviations[i % 3]!,
  );
}

/** What a whole picture becomes. */
export interface PixelFormat {
  /** Height in pixels. */
  readonly height: number;
  /** Width in pixels. */
  readonly width: number;
  /** 1 for gray, 3 for red, green and blue. */
  readonly channels: 1 | 3;
}

/**
 * Height and width of a picture, turned as its EXIF data say.
 *
 * @throws MultigradError `invalid-data` for a file that is no PNG or JPEG image, `io`
 */
export async function imageSize(
  decoder: MakeSharp,
  path: string,
): Promise<{ height: number; width: number }> {
  const within = await pixelsWithin(path);
  return asImage(path, async () => {
    const {
      width = 0,
      height = 0,
      autoOrient = { width, height },
    } = await decoder(path).metadata();
    checkSize(width, height, within);
    return { height: autoOrient.height, width: autoOrient.width };
  });
}

/**
 * A whole picture as `height · width · channels` bytes: turned as its EXIF data say, stretched to the size, on white where it
 * is transparent.
 *
 * @throws MultigradError `invalid-data` for a file that is no PNG or JPEG image, `io`
 */
export async function decodePixels(
  decoder: MakeSharp,
  path: string,
  { height, width, channels }: PixelFormat,
): Promise<Uint8Array> {
  await imageSize(decoder, path);
  return asImage(path, async () => {
    const { data } = await decoder(path)
      .autoOrient()
      .flatten({ background: 'white' })
      .resize(width, height, { fit: 'fill', kernel: 'linear' })
      .toColourspace(channels === 1 ? 'b-w' : 'srgb')
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
    if (data.length === height * width * channels) return data;
    if (data.length === height * width) return grayToColour(data, 1);
    throw new Error(`${data.length / (height * width)} channels`);
  });
}

/** What `decode` gives; what it throws says that the file is no image. */
async function asImage<T>(path: string, decode: () => Promise<T>): Promise<T> {
  try {
    return await decode();
  } catch (cause) {
    throw new MultigradError(
      'invalid-data',
      `${path}: expected an image. Found: ${cause instanceof Error ? cause.message : String(cause)}.`,
      { cause },
    );
  }
}

/** Checks the size that a picture states before memory is taken for it. */
function checkSize(width: number, height: number, within: number): void {
  const size = `${width} x ${height} pixels`;
  if (width * height > mostPixels) throw new Error(`${size}, more than ${mostPixels}`);
  if (Math.max(width, height) > longestSide) {
    throw new Error(`${size}, a side of more than ${longestSide}`);
  }
  if (width * height > within) throw new Error(`${size} in a file that can hold ${within} at most`);
}

function grayToColour(pixels: Uint8Array, channels: number): Uint8Array {
  return Uint8Array.from(
    { length: (pixels.length / channels) * 3 },
    (_, i) => pixels[Math.floor(i / 3) * channels]!,
  );
}

/**
 * A random rectangle: 8 to 100 % of the area, 3 : 4 to 4 : 3, as images are usually cropped for training; where ten draws
 * do not fit, the largest one in the middle.
 */
export function randomArea(width: number, height: number, random: Random): Area {
  const [narrow, wide] = [Math.log(3 / 4), Math.log(4 / 3)];
  for (let attempt = 0; attempt < 10; attempt++) {
    const area = width * height * (0.08 + 0.92 * random.uniform());
    const ratio = Math.exp(narrow + (wide - narrow) * random.uniform());
    const across = Math.round(Math.sqrt(area * ratio));
    const down = Math.round(Math.sqrt(area / ratio));
    if (across < 1 || down < 1 || across > width || down > height) continue;
    const left = random.integer(width - across + 1);
    const top = random.integer(height - down + 1);
    return { left, top, width: across, height: down };
  }
  const across = Math.min(width, Math.round((height * 4) / 3));
  const down = Math.min(height, Math.round((width * 4) / 3));
  return {
    left: Math.floor((width - across) / 2),
    top: Math.floor((height - down) / 2),
    width: across,
    height: down,
  };
}
