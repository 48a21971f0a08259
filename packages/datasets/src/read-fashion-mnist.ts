import { existsSync } from 'node:fs';
import { MultigradError } from '@multigrad/core/strategy';
import type { Mnist } from './mnist.ts';
import { readMnist, type ReadMnistOptions } from './read-mnist.ts';

/** Where Debian's package `dataset-fashion-mnist` puts the files. */
const debianFolder = '/usr/share/datasets/fashion-mnist';

/**
 * Reads Fashion-MNIST from disk (Node): 60,000 pieces of clothing for training, 10,000 for testing, in ten classes.
 *
 * @param options - `folder` with the four IDX files; without it, that of Debian's package `dataset-fashion-mnist`
 * @throws MultigradError `io` when a file cannot be read; the message says where to get the data
 * @throws MultigradError `invalid-data` when a file is malformed (see {@link parseDigits})
 *
 * @example
 * ```ts
 * import { MultigradError } from '@multigrad/core/strategy';
 * import { readFashionMnist } from '@multigrad/datasets';
 *
 * try {
 *   const { train } = await readFashionMnist({ folder: 'my-copy-of-fashion-mnist' });
 *   console.log(train.count);
 * } catch (error) {
 *   console.log(MultigradError.isInstance(error), String(error)); // true … Found neither …
 * }
 * ```
 *
 * @see Xiao, Rasul and Vollgraf, "Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning Algorithms", 2017
 * (https://arxiv.org/abs/1708.07747); the data set is under the MIT licence
 */
export async function readFashionMnist({ folder }: ReadMnistOptions = {}): Promise<Mnist> {
  if (folder !== undefined) return readMnist({ folder });
  if (existsSync(debianFolder)) return readMnist({ folder: debianFolder });
  throw new MultigradError(
    'io',
    `Found no Fashion-MNIST: there is no folder ${debianFolder}. On Debian and Ubuntu the package dataset-fashion-mnist ` +
      'brings it; elsewhere get the four IDX files from https://github.com/zalandoresearch/fashion-mnist and name their ' +
      'folder in the option `folder`.',
  );
}
