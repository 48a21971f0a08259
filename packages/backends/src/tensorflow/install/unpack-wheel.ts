import { createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { MultigradError } from '@multigrad/core/strategy';
import yauzl, { type Entry, type ZipFile } from 'yauzl';
import { makeFolder, withFiles } from './files.ts';
import type { OnProgress } from './progress.ts';
import type { Wheel } from './fetch-wheels.ts';

/** The headers that the addon includes, directly or indirectly. */
const headers =
  /^tensorflow\/include\/(absl|tensorflow\/c|tensorflow\/core\/platform|tsl|xla\/tsl)\/.*\.(h|inc)$/;
const library = /^(tensorflow\/[^/]+\.so\.\d+|nvidia\/.+\/lib\/[^/]+\.so(\.\d+)*)$/;

/** Unpacks libraries and headers of a wheel into a folder. */
export async function unpackWheel(
  { path, name }: Wheel,
  folder: string,
  signal: AbortSignal | undefined,
  onProgress: OnProgress,
): Promise<void> {
  const wanted: Entry[] = [];
  const zip = await openZip(path, name);
  try {
    for await (const entry of zip.eachEntry()) {
      if (headers.test(entry.fileName) || library.test(entry.fileName)) wanted.push(entry);
    }
    const total = wanted.reduce((sum, { uncompressedSize }) => sum + uncompressedSize, 0);
    let done = 0;
    for (const entry of wanted) {
      signal?.throwIfAborted();
      const file = join(folder, entry.fileName);
      await makeFolder(dirname(file));
      const source = await zip.openReadStreamPromise(entry);
      source.on('data', (part: Buffer) => {
        done += part.length;
        onProgress({ step: 'unpack', subject: entry.fileName, share: done / total });
      });
      await withFiles('unpack', file, () =>
        pipeline(source, createWriteStream(file), signal === undefined ? {} : { signal }),
      );
    }
  } finally {
    zip.close();
  }
}

/** Reads the metadata of a wheel, which names the packages that it requires. */
export async function readMetadata({ path, name }: Wheel): Promise<string> {
  const zip = await openZip(path, name);
  try {
    for await (const entry of zip.eachEntry()) {
      if (/^[^/]+\.dist-info\/METADATA$/.test(entry.fileName)) {
        return await text(await zip.openReadStreamPromise(entry));
      }
    }
    return '';
  } finally {
    zip.close();
  }
}

/** Checks that an unpacked wheel holds the libraries and headers that the addon is built with. */
export async function checkUnpacked(folder: string, wheel: string): Promise<void> {
  const needed = [
    'tensorflow/libtensorflow_cc.so.2',
    'tensorflow/libtensorflow_framework.so.2',
    'tensorflow/include/tensorflow/c/eager/c_api.h',
  ];
  const present = await Promise.all(
    needed.map((path) =>
      stat(join(folder, path)).then(
        () => true,
        () => false,
      ),
    ),
  );
  const absent = needed.filter((_, index) => !present[index]);
  if (absent.length === 0) return;
  throw new MultigradError(
    'invalid-data',
    `The wheel ${wheel} should hold the C++ libraries and headers of TensorFlow. It lacks ${absent.join(', ')}.`,
  );
}

async function openZip(path: string, name: string): Promise<ZipFile> {
  try {
    return await withFiles('open the wheel', path, () =>
      yauzl.openPromise(path, { lazyEntries: true, autoClose: false }),
    );
  } catch (error) {
    if (MultigradError.isInstance(error)) throw error;
    const message = error instanceof Error ? error.message : String(error);
    throw new MultigradError('invalid-data', `${name} is no wheel: ${message}.`, { cause: error });
  }
}
