/** Options of a wav file made for tests; the defaults give a valid file. */
export interface WavFileOptions {
  readonly tag?: 1 | 3;
  readonly bits?: 8 | 16 | 24 | 32 | 64;
  readonly channels?: number;
  readonly sampleRate?: number;
  readonly extensible?: boolean;
  /** Name of a chunk of three bytes before the samples. */
  readonly before?: string;
  /** Names of the two chunks that a file needs. */
  readonly format?: string;
  readonly data?: string;
}

/** A wav file of samples from −1 to 1, channel after channel. */
export function wavFile(samples: readonly number[], options: WavFileOptions): Uint8Array {
  const { tag = 1, bits = 16, channels = 1, sampleRate = 8000, extensible = false } = options;
  const bytes: number[] = [];
  const text = (word: string): void => {
    for (const letter of word) bytes.push(letter.charCodeAt(0));
  };
  const number = (value: number, size: number): void => {
    for (let k = 0; k < size; k++) bytes.push(Math.floor(value / 256 ** k) % 256);
  };
  const chunk = (name: string, body: () => void): void => {
    text(name);
    const at = bytes.length;
    number(0, 4);
    body();
    const size = bytes.length - at - 4;
    for (let k = 0; k < 4; k++) bytes[at + k] = Math.floor(size / 256 ** k) % 256;
    if (size % 2 === 1) bytes.push(0);
  };
  chunk('RIFF', () => {
    text('WAVE');
    chunk(options.format ?? 'fmt ', () => {
      number(extensible ? 0xfffe : tag, 2);
      number(channels, 2);
      number(sampleRate, 4);
      number((sampleRate * channels * bits) / 8, 4);
      number((channels * bits) / 8, 2);
      number(bits, 2);
      if (!extensible) return;
      number(22, 2);
      number(bits, 2);
      number(0, 4);
      number(tag, 2);
      number(0, 14);
    });
    if (options.before !== undefined) chunk(options.before, () => number(0, 3));
    chunk(options.data ?? 'data', () => {
      for (const sample of samples) bytes.push(...encode(sample, tag, bits));
    });
  });
  return Uint8Array.from(bytes);
}

function encode(sample: number, tag: 1 | 3, bits: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(bits / 8));
  if (tag === 3) {
    if (bits === 32) view.setFloat32(0, sample, true);
    else view.setFloat64(0, sample, true);
  } else if (bits === 8) view.setUint8(0, 128 + 128 * sample);
  else if (bits === 16) view.setInt16(0, 32_768 * sample, true);
  else if (bits === 32) view.setInt32(0, 2_147_483_648 * sample, true);
  else {
    const value = Math.round(8_388_608 * sample);
    view.setUint16(0, value & 0xffff, true);
    view.setInt8(2, value >> 16);
  }
  return new Uint8Array(view.buffer);
}
