import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MultigradError } from '@multigrad/core/strategy';
import type { SpokenDigit } from './audio-visual-digits.ts';
import { parseWav } from './wav.ts';

/** Options of {@link readSpokenDigits}. */
export interface ReadSpokenDigitsOptions {
  /**
   * Folder of the Free Spoken Digit Dataset, or its folder `recordings`.
   *
   * @defaultValue a sample of 240 recordings that comes with this package: 4 of each digit by each of 6 speakers
   */
  readonly folder?: string;
}

const namePattern = /^(\d)_([^_]+)_(\d+)\.wav$/;

/**
 * Reads recordings of spoken digits from disk (Node): the Free Spoken Digit Dataset, 3,000 recordings at 8 kHz, or the
 * sample of it that comes with this package.
 *
 * Files are called `<digit>_<speaker>_<index>.wav`; they are read in the order digit, speaker, index.
 *
 * @throws MultigradError `io` when the folder cannot be read or holds no recordings; the message says where to get them
 * @throws MultigradError `invalid-data` for a wav file of another name, or one that is malformed (see {@link parseWav})
 *
 * @example
 * ```ts
 * import { readSpokenDigits } from '@multigrad/datasets';
 *
 * const recordings = await readSpokenDigits();
 * const { digit, speaker, index, sampleRate } = recordings[0]!;
 * console.log(recordings.length, digit, speaker, index, sampleRate); // 240 0 george 0 8000
 * ```
 *
 * @see Jackson, Souza, Flaks, Pan, Nicolas and Thite, "Free Spoken Digit Dataset", https://github.com/Jakobovski/free-spoken-digit-dataset,
 * licensed under CC BY-SA 4.0
 */
export async function readSpokenDigits({ folder }: ReadSpokenDigitsOptions = {}): Promise<
  SpokenDigit[]
> {
  const from = await recordingsFolder(folder ?? packagedFolder());
  const names = (await list(from)).filter((name) => name.endsWith('.wav'));
  if (names.length === 0) throw missing(from);
  const parsed = names.map((name) => {
    const match = namePattern.exec(name);
    if (match === null) {
      throw new MultigradError(
        'invalid-data',
        `${from}: expected recordings called <digit>_<speaker>_<index>.wav. Found ${name}.`,
      );
    }
    const [, digit, speaker, index] = match;
    return { name, digit: Number(digit), speaker: speaker!, index: Number(index) };
  });
  parsed.sort(
    (a, b) =>
      a.digit - b.digit ||
      (a.speaker < b.speaker ? -1 : Number(a.speaker > b.speaker)) ||
      a.index - b.index,
  );
  const recordings: SpokenDigit[] = [];
  // Several at a time, but not thousands: systems limit the number of open files.
  for (let start = 0; start < parsed.length; start += 64) {
    const some = parsed.slice(start, start + 64).map(async ({ name, ...about }) => {
      const where = join(from, name);
      const { sampleRate, samples } = parseWav(await readBytes(where), where);
      return { ...about, sampleRate, samples, where };
    });
    recordings.push(...(await Promise.all(some)));
  }
  return recordings;
}

function packagedFolder(): string {
  return fileURLToPath(new URL('../data/free-spoken-digits', import.meta.url));
}

async function recordingsFolder(folder: string): Promise<string> {
  if (basename(folder) === 'recordings') return folder;
  return (await list(folder)).includes('recordings') ? join(folder, 'recordings') : folder;
}

async function list(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (cause) {
    throw missing(folder, cause);
  }
}

async function readBytes(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw new MultigradError('io', `Cannot read ${path}: ${String(cause)}.`, { cause });
  }
}

function missing(folder: string, cause?: unknown): MultigradError {
  const found = cause instanceof Error ? cause.message : 'no wav files';
  return new MultigradError(
    'io',
    `Expected the recordings of the Free Spoken Digit Dataset in ${folder}. Found: ${found}. ` +
      'Get them from https://github.com/Jakobovski/free-spoken-digit-dataset and name the folder in the option `folder`, ' +
      'or leave it out to use the sample that comes with @multigrad/datasets.',
    { cause },
  );
}
