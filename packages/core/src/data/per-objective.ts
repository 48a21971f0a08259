import { own } from '../base/own.ts';
import { describeValue } from '../base/describe-value.ts';
import { MultigradError } from '../base/errors.ts';
import { checkKnownOptions, type OptionNames } from '../base/known-options.ts';
import {
  type DatasetLike,
  freesItsBatches,
  type ReadOptions,
  readBatches,
  readOptionNames,
} from './data-source.ts';

/** The batches that a source yields: a record of tensors yields records like itself. */
export type BatchOf<Source> = Source extends (...args: never[]) => infer Batches
  ? ElementOf<Batches>
  : ElementOf<Source>;

type ElementOf<Source> =
  Source extends DatasetLike<infer Batch>
    ? Batch
    : Source extends AsyncIterable<infer Batch> | Iterable<infer Batch>
      ? Batch
      : Source;

/**
 * A batch for each objective, from its own data. With `mode: 'absent'` an objective without further data is left out; with
 * the other modes every objective is there.
 */
export type ObjectiveBatches<Sources, Mode extends PerObjectiveMode = 'absent'> =
  Mode extends Exclude<PerObjectiveMode, 'absent'>
    ? { readonly [Name in keyof Sources]: BatchOf<Sources[Name]> }
    : { readonly [Name in keyof Sources]?: BatchOf<Sources[Name]> };

/** What happens where a source ends before others. */
export type PerObjectiveMode = 'absent' | 'cycle' | 'shortest';

/** How sources of different lengths are joined. */
export interface PerObjectiveOptions<
  Mode extends PerObjectiveMode = PerObjectiveMode,
> extends ReadOptions {
  /**
   * - `absent`: an epoch lasts as long as the longest source; an objective whose source has ended is absent from then on
   * - `cycle`: an epoch lasts as long as the longest source; shorter ones start again
   * - `shortest`: an epoch ends with the shortest source
   *
   * @defaultValue `'absent'`
   */
  readonly mode?: Mode;
}

const optionNames: OptionNames<PerObjectiveOptions> = { ...readOptionNames, mode: true };

/**
 * Joins one data source per objective into batches that hold one batch of each: multi-task training with a data set
 * for each task.
 *
 * @returns a function of the epoch, as the trainer takes it
 * @throws MultigradError `invalid-option`
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
 *   console.log(Object.keys(batch)); // [ 'digits', 'letters' ], [ 'digits' ], [ 'digits' ]
 * }
 * ```
 */
export function perObjective<
  Sources extends Readonly<Record<string, unknown>>,
  Mode extends PerObjectiveMode = 'absent',
>(
  sources: Sources,
  options: PerObjectiveOptions<Mode> = {},
): ((epoch: number) => AsyncGenerator<ObjectiveBatches<Sources, Mode>, void>) & {
  readonly [freesItsBatches]: true;
} {
  checkKnownOptions('perObjective', options, optionNames);
  const mode: PerObjectiveMode = options.mode ?? 'absent';
  checkMode(mode);
  async function* join(epoch: number): AsyncGenerator<ObjectiveBatches<Sources, Mode>, void> {
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
        yield Object.fromEntries(batch) as ObjectiveBatches<Sources, Mode>;
      }
    } finally {
      for (const reader of readers.values()) await reader.return();
    }
  }
  return Object.assign(join, { [freesItsBatches]: true as const });
}

function checkMode(mode: unknown): void {
  if (['absent', 'cycle', 'shortest'].includes(mode as string)) return;
  throw new MultigradError(
    'invalid-option',
    `Option \`mode\` of \`perObjective\` should be 'absent', 'cycle' or 'shortest'. Found ${describeValue(mode)}.`,
  );
}
