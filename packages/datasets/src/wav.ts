import { MultigradError, own } from '@multigrad/core/strategy';

/** The content of a wav file. */
export interface WavAudio {
  /** Samples per second. */
  readonly sampleRate: number;
  /** Number of channels in the file. */
  readonly channels: number;
  /** The mean of all channels, −1 to 1 for integer formats. */
  readonly samples: Float32Array;
}

/** The sample formats that occur: tag, bits, and how to read one sample. */
const formats: Readonly<Record<string, (view: DataView, at: number) => number>> = {
  'PCM 8': (view, at) => (view.getUint8(at) - 128) / 128,
  'PCM 16': (view, at) => view.getInt16(at, true) / 32_768,
  'PCM 24': (view, at) => ((view.getInt8(at + 2) << 16) | view.getUint16(at, true)) / 8_388_608,
  'PCM 32': (view, at) => view.getInt32(at, true) / 2_147_483_648,
  'float 32': (view, at) => view.getFloat32(at, true),
  'float 64': (view, at) => view.getFloat64(at, true),
};

const extensible = 0xfffe;
const tagNames: Readonly<Record<number, string>> = { 1: 'PCM', 3: 'float' };

/** The chunk `fmt `: how the samples of the chunk `data` are stored. */
interface Format {
  readonly name: string;
  readonly channels: number;
  readonly sampleRate: number;
  readonly bytes: number;
}

/**
 * Reads a wav file: RIFF with PCM samples of 8, 16, 24 or 32 bits or floats of 32 or 64 bits, any number of channels.
 *
 * @param bytes - the whole file
 * @param where - what to call it in error messages: a path or an address
 * @throws MultigradError `invalid-data` when the file is no wav file, is cut short, has no samples or stores them in
 * another format; the message names `where`, what was found and what was expected
 *
 * @example
 * ```ts
 * import { parseWav } from '@multigrad/datasets';
 *
 * const text = (word: string): number[] => [...word].map((letter) => letter.charCodeAt(0));
 * const bytes = Uint8Array.of(
 *   ...text('RIFF'), 40, 0, 0, 0, ...text('WAVE'),
 *   ...text('fmt '), 16, 0, 0, 0, 1, 0, 1, 0, 64, 31, 0, 0, 128, 62, 0, 0, 2, 0, 16, 0, // PCM, mono, 8 kHz, 16 bits
 *   ...text('data'), 4, 0, 0, 0, 0, 64, 0, 192,
 * );
 * const { sampleRate, samples } = parseWav(bytes, 'example');
 * console.log(sampleRate, samples); // 8000 Float32Array(2) [ 0.5, -0.5 ]
 * ```
 *
 * @see IBM and Microsoft, "Multimedia Programming Interface and Data Specifications 1.0", 1991
 */
export function parseWav(bytes: Uint8Array, where: string): WavAudio {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 12 || word(view, 0) !== 'RIFF' || word(view, 8) !== 'WAVE') {
    const start = Array.from({ length: Math.min(4, bytes.length) }, (_, i) => bytes[i]!);
    fail(
      where,
      `${bytes.length} bytes that start with ${JSON.stringify(String.fromCharCode(...start))}`,
      'a wav file, "RIFF" with a size and "WAVE"',
    );
  }
  const end = view.getUint32(4, true) + 8;
  if (end > bytes.length) {
    fail(where, `${bytes.length} (the file is cut short)`, `${end} bytes, as its header says`);
  }
  let format: Format | undefined;
  // Chunks start at even positions.
  for (let at = 12; at + 8 <= end;) {
    const size = view.getUint32(at + 4, true);
    const body = at + 8;
    if (body + size > end) {
      fail(
        where,
        `${end - body} (the file is cut short)`,
        `${size} bytes in the chunk "${word(view, at)}"`,
      );
    }
    if (word(view, at) === 'fmt ') format = readFormat(view, body, size, where);
    if (word(view, at) === 'data') {
      if (format === undefined) fail(where, 'samples before it', 'the chunk "fmt " first');
      return readSamples(view, body, size, format, where);
    }
    at = body + size + (size % 2);
  }
  return fail(where, 'none', 'a chunk "data" with samples');
}

function readFormat(view: DataView, at: number, size: number, where: string): Format {
  if (size < 16) fail(where, `${size}`, 'at least 16 bytes in the chunk "fmt "');
  const given = view.getUint16(at, true);
  const tag = given === extensible && size >= 26 ? view.getUint16(at + 24, true) : given;
  const channels = view.getUint16(at + 2, true);
  const sampleRate = view.getUint32(at + 4, true);
  const bits = view.getUint16(at + 14, true);
  const name = `${tagNames[tag] ?? `format ${tag}`} ${bits}`;
  if (!Object.hasOwn(formats, name)) {
    fail(where, `${name} bits`, 'samples in PCM of 8, 16, 24 or 32 bits or floats of 32 or 64');
  }
  if (channels === 0 || sampleRate === 0) {
    fail(where, `${channels} channels at ${sampleRate} Hz`, 'at least one channel and 1 Hz');
  }
  return { name, channels, sampleRate, bytes: bits / 8 };
}

function readSamples(
  view: DataView,
  at: number,
  size: number,
  { name, channels, sampleRate, bytes }: Format,
  where: string,
): WavAudio {
  const frame = bytes * channels;
  if (size === 0 || size % frame !== 0) {
    fail(where, `${size}`, `a positive multiple of ${frame} bytes of samples`);
  }
  const read = own(formats, name)!;
  const samples = new Float32Array(size / frame);
  for (let i = 0; i < samples.length; i++) {
    let sum = 0;
    for (let channel = 0; channel < channels; channel++) {
      sum += read(view, at + i * frame + channel * bytes);
    }
    samples[i] = sum / channels;
  }
  const wrong = samples.findIndex((sample) => !Number.isFinite(sample));
  if (wrong >= 0) fail(where, `${samples[wrong]!} at sample ${wrong}`, 'finite samples');
  return { sampleRate, channels, samples };
}

function word(view: DataView, at: number): string {
  return String.fromCharCode(...[0, 1, 2, 3].map((i) => view.getUint8(at + i)));
}

function fail(where: string, found: string, expected: string): never {
  throw new MultigradError('invalid-data', `${where}: expected ${expected}. Found ${found}.`);
}
