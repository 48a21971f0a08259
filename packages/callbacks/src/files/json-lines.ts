import { checkKnownOptions, type OptionNames } from '@multigrad/core/support';
import type { FitStart, GroupReport, Logs, StepReport, TrainerCallback } from '@multigrad/core';
import { MultigradError } from '@multigrad/core/strategy';
import { assertEvery } from './every.ts';
import { LogFile } from './log-file.ts';

/** The line of a training step. */
export interface StepLine {
  /** Number of the step in the whole run, from 0. */
  readonly step: number;
  /** From 0. */
  readonly epoch: number;
  readonly losses: StepReport['losses'];
  readonly metrics: StepReport['metrics'];
  readonly groups: readonly GroupReport[];
  readonly backwardPasses: number;
  readonly observed: boolean;
  /** Why the step was skipped; absent where it was made. */
  readonly skipped?: string;
  /** Factor on the losses before the backward passes, with the trainer's option `lossScale`. */
  readonly lossScale?: number;
}

/** The line of an epoch that ended. */
export interface EpochLine {
  /** From 0. */
  readonly epoch: number;
  /** Number of its last step. */
  readonly step: number;
  readonly logs: Logs;
}

/** Options of {@link jsonLines}. */
export interface JsonLinesOptions {
  /** Keeps every n-th step, an integer >= 1; epochs are all kept. @defaultValue 1 */
  readonly every?: number;
}

const optionNames: OptionNames<JsonLinesOptions> = {
  every: true,
};

/**
 * Writes a file of JSON lines: one for each step with losses, metrics and what happened in each group, one for each
 * epoch with its logs ({@link StepLine}, {@link EpochLine}). NaN and infinities are written as null.
 *
 * @remarks
 * Each line is in the file before the next step begins. Training that resumes at step s keeps the lines of earlier
 * steps and of epochs that had ended, drops a last line that was not written whole, and replaces the rest. A run that
 * resumes from a checkpoint leaves the file that an uninterrupted run would have left, and one that begins anew begins
 * a new file.
 *
 * @throws MultigradError `invalid-option`; while training, `io` where the file cannot be written, `invalid-data` where it
 * holds something else
 *
 * @example
 * ```ts
 * import { mkdtempSync, readFileSync } from 'node:fs';
 * import { tmpdir } from 'node:os';
 * import { join } from 'node:path';
 * import { jsonLines } from '@multigrad/callbacks';
 *
 * const file = join(mkdtempSync(join(tmpdir(), 'example-')), 'steps.jsonl');
 * const log = jsonLines(file); // goes into fit's callbacks, which calls:
 * await log.onTrainBegin!({ step: 0, epoch: 0, batch: 0, epochs: 1, variables: [] });
 * const report = { step: 0, losses: { a: 1.5 }, metrics: {}, groups: [], backwardPasses: 1, observed: false };
 * await log.onBatchEnd!(0, report);
 * console.log(JSON.parse(readFileSync(file, 'utf8')).losses); // { a: 1.5 }
 * ```
 */
export function jsonLines(path: string, options: JsonLinesOptions = {}): TrainerCallback {
  checkKnownOptions('jsonLines', options, optionNames);
  const every = assertEvery('every', options.every ?? 1);
  const file = new LogFile(path);
  let epoch = 0;
  let last = 0;
  const append = (line: StepLine | EpochLine): void => file.append(`${JSON.stringify(line)}\n`);
  return {
    onTrainBegin: (start) => {
      keepBefore(file, start);
      epoch = start.epoch;
      last = start.step - 1;
    },
    onEpochBegin: (number) => {
      epoch = number;
    },
    onBatchEnd: (_, report) => {
      const { step, losses, metrics, groups, backwardPasses, observed, skipped, lossScale } =
        report;
      last = step;
      if (step % every !== 0) return;
      append({
        ...{ step, epoch, losses, metrics, groups, backwardPasses, observed },
        ...(skipped === undefined ? {} : { skipped }),
        ...(lossScale === undefined ? {} : { lossScale }),
      });
    },
    onEpochEnd: (number, logs) => {
      append({ epoch: number, step: last, logs });
      file.flush();
    },
  };
}

/** Keeps the whole lines of earlier steps. Lines are in order, so all that is removed is at the end. */
function keepBefore(file: LogFile, { step, batch }: FitStart): void {
  file.create();
  const bytes = file.read();
  const foreign = (line: string): MultigradError =>
    new MultigradError(
      'invalid-data',
      `${file.path} should hold JSON lines of training steps. Found ${JSON.stringify(line.slice(0, 60))}. ` +
        'Choose another file, or move this one away.',
    );
  if (bytes.length > 0 && bytes[0] !== '{'.charCodeAt(0))
    throw foreign(bytes.toString('utf8', 0, 60));
  const newline = '\n'.charCodeAt(0);
  let end = bytes.lastIndexOf(newline) + 1;
  while (end > 0) {
    const begin = end > 1 ? bytes.lastIndexOf(newline, end - 2) + 1 : 0;
    const line = bytes.toString('utf8', begin, end - 1);
    const found = placeOf(line);
    if (found === null) throw foreign(line);
    // The line of an epoch is written again where a checkpoint was made before the epoch's end was recorded.
    if (found.step < step - (found.ended && batch > 0 ? 1 : 0)) break;
    end = begin;
  }
  if (end < bytes.length) file.cut(end);
}

/** The step of a line, and whether it is that of an epoch's end; null for a line that this logger did not write. */
function placeOf(line: string): { readonly step: number; readonly ended: boolean } | null {
  try {
    const value = JSON.parse(line) as { readonly step?: unknown };
    return typeof value.step === 'number' ? { step: value.step, ended: 'logs' in value } : null;
  } catch {
    return null;
  }
}
