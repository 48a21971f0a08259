import { own } from '../base/own.ts';
import { type DataSource, freesItsBatches, type ReadOptions, readBatches } from './data-source.ts';

/** A batch for each objective, from its own data. An objective without further data is left out. */
export type ObjectiveBatches<Sources> = {
  readonly [Name in keyof Sources]?: Sources[Name] extends DataSource<infer Batch> ? Batch : never;
};

/** How sources of different lengths are joined. */
export interface PerObjectiveOptions extends ReadOptions {
  /**
   * - `absent`: an epoch lasts as long as the longest source; an objective whose source has ended is absent from then on
   * - `cycle`: an epoch lasts as long as the longest source; shorter ones start again
   * - `shortest`: an epoch ends with the shortest source
   *
   * @defaultValue `'absent'`
   */
  readonly mode?: 'absent' | 'cycle' | 'shortest';
}

/**
 * Joins one data source per objective into batches that hold one batch of each: multi-task training with a data set
 * for each task.
 *
 * @returns a function of the epoch, as the trainer takes it
 *
 * @example
 * ```ts
 * import { perObjective } from '@multigrad/core';
 * import * as tf from '@tensorflow/tfjs-core';
 * import '@tensorflow/tfjs-backend-cpu';
 *
 * const data = perObjective(
 *   { digits: { x: tf.zeros([6, 4]) }, letters: { x: tf.zeros([2, 4]) } },
 *   { batchSize: 2 },
 * );
 * for await (const batch of data(0)) {
 *   console.log(Object.keys(batch)); // both once, then digits alone
 * }
 * ```
 */
export function perObjective<Sources extends Readonly<Record<string, unknown>>>(
  sources: Sources,
  options: PerObjectiveOptions = {},
): ((epoch: number) => AsyncGenerator<ObjectiveBatches<Sources>, void>) & {
  readonly [freesItsBatches]: true;
} {
  const { mode = 'absent' } = options;
  async function* join(epoch: number): AsyncGenerator<ObjectiveBatches<Sources>, void> {
    const names = Object.keys(sources);
    // Each reader frees its last batch when the next one is read or it is closed, unless the caller owns the batch.
    const open = (name: string): AsyncGenerator<unknown, void> =>
      readBatches<unknown>(own(sources, name), epoch, options);
    const readers = new Map(names.map((name) => [name, open(name)]));
    const finished = new Set<string>();
    try {
      for (;;) {
        const batch: [name: string, value: unknown][] = [];
        for (const name of names) {
          if (finished.has(name) && mode !== 'cycle') continue;
          let next = await readers.get(name)!.next();
          if (next.done === true) {
            finished.add(name);
            if (mode !== 'cycle' || finished.size === names.length) continue;
            readers.set(name, open(name));
            next = await readers.get(name)!.next();
          }
          if (next.done !== true) batch.push([name, next.value]);
        }
        const over = mode === 'shortest' ? finished.size > 0 : finished.size === names.length;
        if (over) return;
        yield Object.fromEntries(batch) as ObjectiveBatches<Sources>;
      }
    } finally {
      for (const reader of readers.values()) await reader.return();
    }
  }
  return Object.assign(join, { [freesItsBatches]: true as const });
}
