import { MultigradError } from '@multigrad/core/strategy';
import { describeValue } from '@multigrad/core/support';
import * as tf from '@tensorflow/tfjs-core';
import type { ClassColumn } from './column.ts';
import type { NumberArray } from './numbers-from.ts';

/**
 * A class of each sample from words or numbers.
 *
 * Classes get their labels 0, 1, … in the order of `names`; if left out, in numeric order where all are numbers, else in
 * the order of their characters' codes. `null` and NaN are missing labels, which the losses of `@multigrad/models` leave
 * out; in a batch they are −1. Words and numbers mean the same class where they read the same: 3 and '3'.
 *
 * @param values - one for each sample; a tensor stays yours
 * @param names - the classes, where their order or their number is not what the values show
 * @throws MultigradError `invalid-data` naming the sample for a value that is not among `names`, fewer than two classes,
 * and for labels that are neither words nor numbers; `unsupported` for a tensor on WebGPU: pass `await tensor.data()`
 *
 * @example
 * ```ts
 * import { classesFrom } from '@multigrad/datasets';
 *
 * const kinds = classesFrom(['flat', 'house', null, 'flat']);
 * console.log(kinds.names, kinds.labels); // [ 'flat', 'house' ] Int32Array(4) [ 0, 1, -1, 0 ]
 * ```
 */
export function classesFrom(
  values: readonly (string | number | null)[] | NumberArray | tf.Tensor1D,
  names?: readonly (string | number)[],
): ClassColumn {
  if (values instanceof tf.Tensor && tf.getBackend() === 'webgpu') {
    throw new MultigradError(
      'unsupported',
      '`classesFrom` cannot wait for a tensor on WebGPU. Write classesFrom(await tensor.data()).',
    );
  }
  const listed = values instanceof tf.Tensor ? values.dataSync() : values;
  const words = Array.from(listed as ArrayLike<unknown>, (value, sample) => {
    if (value === null || (typeof value === 'number' && Number.isNaN(value))) return null;
    if (typeof value === 'string' || (typeof value === 'number' && Number.isFinite(value)))
      return String(value);
    throw new MultigradError(
      'invalid-data',
      `Classes should be words or numbers, or null where one is missing. Found ${describeValue(value)} of sample ${sample}.`,
    );
  });
  return classColumn(words, names?.map(String), (sample) => `sample ${sample}`);
}

/**
 * Labels of words, with their classes' names.
 *
 * @param words - null where one is missing
 * @param where - the sample's place, for messages
 * @throws MultigradError `invalid-data`
 */
export function classColumn(
  words: readonly (string | null)[],
  names: readonly string[] | undefined,
  where: (sample: number) => string,
): ClassColumn {
  const classes = names ?? inOrder(new Set(words.filter((word) => word !== null)));
  const labelOf = new Map(classes.map((name, label) => [name, label]));
  if (labelOf.size < 2 || labelOf.size < classes.length) {
    throw new MultigradError(
      'invalid-data',
      `Expected at least two classes, each once, as in ${where(0)}. Found ${classes.map((name) => JSON.stringify(name)).join(', ') || 'none'}.`,
    );
  }
  const labels = Int32Array.from(words, (word, sample) => {
    if (word === null) return -1;
    const label = labelOf.get(word);
    if (label !== undefined) return label;
    throw new MultigradError(
      'invalid-data',
      `${where(sample)}: expected one of the classes ${classes.join(', ')}. Found ${JSON.stringify(word)}.`,
    );
  });
  return { kind: 'classes', count: words.length, shape: [], labels, names: classes, where };
}

function inOrder(words: ReadonlySet<string>): string[] {
  const all = [...words];
  const areNumbers = all.every((word) => word.trim() !== '' && Number.isFinite(Number(word)));
  return areNumbers ? all.sort((a, b) => Number(a) - Number(b)) : all.sort();
}
