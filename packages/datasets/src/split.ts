import { MultigradError } from '@multigrad/core/strategy';
import type { TensorContainer } from '@tensorflow/tfjs-core';
import type { BatchSource } from './batch-source.ts';
import { assertPositions } from './positions.ts';

/**
 * Some samples of a data set as a data set of its own; nothing is copied.
 *
 * @param positions - which samples, integers from 0 to `source.count - 1`; their order is the new one's
 * @throws MultigradError `invalid-argument` for a position beyond the source
 *
 * @example
 * ```ts
 * import { cgMnist, readMnist, subset } from '@multigrad/datasets';
 *
 * const { test } = cgMnist({ mnist: await readMnist() });
 * console.log(subset(test, [5, 7, 11]).count); // 3
 * ```
 */
export function subset<Source extends BatchSource<TensorContainer>>(
  source: Source,
  positions: ArrayLike<number>,
): Pick<Source, 'count' | 'batch'> {
  const chosen = Int32Array.from(positions);
  assertPositions(Array.from(positions), source.count);
  return {
    count: chosen.length,
    batch: (indices, context) => {
      assertPositions(indices, chosen.length);
      return source.batch(
        indices.map((index) => chosen[index]!),
        context,
      );
    },
  };
}

/**
 * Splits a data set by a rule: each sample goes to the part that the rule names, or to none.
 *
 * @param parts - the parts' names
 * @param rule - from a sample's position to the name of its part; null leaves the sample out
 * @throws MultigradError `invalid-data` for a part without samples, `invalid-argument` for a part that is not among
 * `parts`
 *
 * @example
 * ```ts
 * import { cgMnist, readMnist, splitBy } from '@multigrad/datasets';
 *
 * const all = cgMnist({ mnist: await readMnist(), trainSize: 6000 }).train;
 * const { train, validation } = splitBy(all, ['train', 'validation'], (position) =>
 *   position < 5000 ? 'train' : 'validation',
 * );
 * console.log(train.count, validation.count); // 5000 1000
 * ```
 */
export function splitBy<Source extends BatchSource<TensorContainer>, Part extends string>(
  source: Source,
  parts: readonly Part[],
  rule: (position: number) => Part | null,
): Record<Part, Pick<Source, 'count' | 'batch'>> {
  const positions = new Map<Part, number[]>(parts.map((part) => [part, []]));
  for (let position = 0; position < source.count; position++) {
    const part = rule(position);
    if (part === null) continue;
    const chosen = positions.get(part);
    if (chosen === undefined) {
      throw new MultigradError(
        'invalid-argument',
        `The rule of a split should return one of ${parts.join(', ')}, or null. Found "${part}" for sample ${position}.`,
      );
    }
    chosen.push(position);
  }
  return Object.fromEntries(
    Array.from(positions, ([part, chosen]) => {
      if (chosen.length > 0) return [part, subset(source, chosen)];
      throw new MultigradError(
        'invalid-data',
        `Each part of a split should have samples. Found none for \`${part}\` among ${source.count}.`,
      );
    }),
  ) as Record<Part, Pick<Source, 'count' | 'batch'>>;
}

/**
 * Checks that every class occurs among some labels: a class that is absent from a split can be neither learnt nor
 * tested.
 *
 * @param where - what the labels are called in the message
 * @throws MultigradError `invalid-data` naming the classes that are absent
 *
 * @example
 * ```ts
 * import { assertEveryClass } from '@multigrad/datasets';
 *
 * assertEveryClass(Uint8Array.of(0, 2, 1, 1), 3);
 * try {
 *   assertEveryClass([0, 2], 3, 'labels of the test split');
 * } catch (error) {
 *   console.log(String(error)); // … labels of the test split: expected each of 3 classes. Found none of class 1.
 * }
 * ```
 */
export function assertEveryClass(
  labels: ArrayLike<number>,
  classes: number,
  where = 'labels',
): void {
  const seen = new Set(Array.from(labels));
  const absent = Array.from({ length: classes }, (_, label) => label).filter(
    (label) => !seen.has(label),
  );
  if (absent.length === 0) return;
  throw new MultigradError(
    'invalid-data',
    `${where}: expected each of ${classes} classes. Found none of class ${absent.join(', ')}.`,
  );
}
