import { checkKnownOptions, type OptionNames } from '@multigrad/core/support';
import { type LayerSource, tensorsByName, type TrainerCallback } from '@multigrad/core';
import type { Variable } from '@tensorflow/tfjs-core';
import { assertEvery } from '../files/every.ts';
import { epochPrefix, type TaggedValue } from './events.ts';
import { type EventFile, openEventFile } from './event-file.ts';
import { groupValues, stepValues } from '../step-values.ts';
import { histogramOf } from './histogram.ts';

/** Options of {@link tensorBoard}. */
export interface TensorBoardOptions {
  /** Milliseconds since 1970: TensorBoard can draw curves over the time of day. @defaultValue `Date.now` */
  readonly now?: () => number;
  /** Writes every n-th step, an integer >= 1; epochs are all written. @defaultValue 1 */
  readonly every?: number;
  /**
   * Variables by name, or a model of `tf.layers`, whose values are drawn as histograms at the end of each epoch, such as a network's
   * `namedVariables`. @defaultValue none
   */
  readonly variables?: ReadonlyMap<string, Variable> | LayerSource;
}

const optionNames: OptionNames<TensorBoardOptions> = {
  now: true,
  every: true,
  variables: true,
};

/**
 * Writes TensorBoard event files: `tensorboard --logdir FOLDER` shows them, also while training runs.
 *
 * Scalars of each step: `loss/OBJECTIVE`, `METRIC/OBJECTIVE`, and of each group `norm/GROUP/OBJECTIVE`,
 * `cosine/GROUP/ONE OTHER`, `weight/GROUP/OBJECTIVE`, `conflict/GROUP` (0 or 1) and the strategy's own numbers,
 * `NAME/GROUP`. At the end of an epoch: its logs as `epoch/NAME`, histograms of the groups' norms, cosines and weights
 * over its steps under the same tags in `histogram/`, and of the variables as `variable/NAME`.
 *
 * @remarks
 * Each event is in the file before the next step begins. Training that goes on at step s goes on in the same file: a
 * half-written event is dropped and a mark tells readers to forget the events from s on. If training goes on within an
 * epoch, the epoch's histograms are of the steps since then. A file with damage in it is left as it is, and a new one
 * begun.
 *
 * @throws MultigradError `invalid-option`; while training, `io` where the folder cannot be written
 *
 * @example
 * ```ts
 * import { mkdtempSync, readdirSync } from 'node:fs';
 * import { tmpdir } from 'node:os';
 * import { join } from 'node:path';
 * import { tensorBoard } from '@multigrad/callbacks';
 *
 * const folder = mkdtempSync(join(tmpdir(), 'example-'));
 * const board = tensorBoard(folder); // goes into fit's callbacks, which calls:
 * await board.onTrainBegin!({ step: 0, epoch: 0, batch: 0, epochs: 1, variables: [] });
 * const report = { step: 0, losses: { a: 1.5 }, metrics: {}, groups: [], backwardPasses: 1, observed: false };
 * await board.onBatchEnd!(0, report);
 * console.log(readdirSync(folder)); // [ 'events.out.tfevents.0000000000.multigrad' ]
 * ```
 */
export function tensorBoard(folder: string, options: TensorBoardOptions = {}): TrainerCallback {
  checkKnownOptions('tensorBoard', options, optionNames);
  // eslint-disable-next-line no-restricted-properties -- whoever has a clock of their own passes it
  const { now = Date.now } = options;
  const variables = tensorsByName(options.variables ?? new Map<string, Variable>());
  const every = assertEvery('every', options.every ?? 1);
  let file: EventFile;
  let epochWritten = false;
  let last = 0;
  let epochValues = new Map<string, number[]>();
  const seconds = (): number => now() / 1000;
  return {
    onTrainBegin: ({ step, batch }) => {
      file = openEventFile(folder, step, seconds());
      last = step - 1;
      epochValues = new Map();
      // The end of an epoch that is recorded a second time is not written again: the mark does not revoke the step
      // before it.
      epochWritten = batch > 0 && file.holdsEpoch;
    },
    onEpochBegin: () => {
      epochValues = new Map();
    },
    onBatchEnd: (_, report) => {
      last = report.step;
      epochWritten = false;
      const values = stepValues(report);
      for (const group of report.groups) {
        for (const [tag, value] of groupValues(group)) {
          values.set(tag, value);
          if (!/^(norm|cosine|weight)\//.test(tag)) continue;
          const before = epochValues.get(tag);
          if (before === undefined) epochValues.set(tag, [value]);
          else before.push(value);
        }
      }
      if (report.step % every === 0) file.write(report.step, seconds(), values);
    },
    onEpochEnd: async (_, logs) => {
      const values = new Map<string, TaggedValue>();
      for (const [name, value] of Object.entries(logs)) values.set(`${epochPrefix}${name}`, value);
      const add = (tag: string, numbers: Iterable<number>): void => {
        const histogram = histogramOf(numbers);
        if (histogram !== null) values.set(tag, histogram);
      };
      for (const [tag, numbers] of epochValues) add(`histogram/${tag}`, numbers);
      for (const [name, variable] of variables) add(`variable/${name}`, await variable.data());
      if (!epochWritten) file.write(last, seconds(), values);
      epochWritten = false;
      file.flush();
    },
  };
}
