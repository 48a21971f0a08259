import type { WriteStream } from 'node:tty';
import { MultigradError } from '@multigrad/core/strategy';
import type { Logs, StepReport, TrainerCallback } from '@multigrad/core';
import { SingleBar } from 'cli-progress';
import { formatDuration } from './duration.ts';
import { cutText, drawBar, formatLosses } from './text.ts';

/** What a progress bar needs to know. */
export interface ProgressBarOptions {
  /** Where it is drawn, such as `process.stdout`. */
  readonly stream: Pick<WriteStream, 'write'> & Partial<Pick<WriteStream, 'isTTY' | 'columns'>>;
  /** Epochs in all, as `fit` has it; an integer >= 1. */
  readonly epochs: number;
  /** Steps of an epoch, an integer >= 1; where absent, the first epoch is counted and tells. */
  readonly stepsPerEpoch?: number;
  /** Milliseconds on any clock, such as `Date.now`. */
  readonly now: () => number;
}

/**
 * Shows where training stands: on a terminal a bar that moves and a line for each epoch that ended, elsewhere the lines
 * alone.
 *
 * @throws MultigradError `invalid-option`
 *
 * @example
 * ```ts
 * import { progressBar } from '@multigrad/callbacks';
 *
 * const lines: string[] = [];
 * const bar = progressBar({
 *   stream: { write: (line: string) => lines.push(line) > 0 },
 *   epochs: 2,
 *   now: () => 0,
 * });
 * await bar.onEpochEnd!(0, { loss: 0.5, val_loss: 0.75 });
 * console.log(lines[0]); // epoch 1/2  loss 0.500, val_loss 0.750
 * ```
 */
export function progressBar(options: ProgressBarOptions): TrainerCallback {
  const { stream, epochs, now } = options;
  for (const name of ['epochs', 'stepsPerEpoch'] as const) {
    const value = options[name];
    if (value === undefined || (Number.isInteger(value) && value >= 1)) continue;
    throw new MultigradError(
      'invalid-option',
      `Option \`${name}\` should be an integer >= 1. Found ${value}.`,
    );
  }
  let bar: SingleBar | undefined;
  let stepsPerEpoch = options.stepsPerEpoch;
  /** What was done before, in epochs. */
  let before = 0;
  let epoch = 0;
  let steps = 0;
  let losses: StepReport['losses'] = {};
  let began = 0;

  const text = (columns: number): string => {
    const of = stepsPerEpoch === undefined ? '' : `/${stepsPerEpoch}`;
    const inEpoch = stepsPerEpoch === undefined ? 0 : Math.min(1, steps / stepsPerEpoch);
    const share = (epoch + inEpoch) / epochs;
    const done = epoch + inEpoch - before;
    const left = (epochs - epoch - inEpoch) * ((now() - began) / Math.max(done, 1e-9) / 1000);
    const time = done > 0.01 ? `  ${formatDuration(left)} left` : '';
    const line = `${drawBar(share, 20)} epoch ${epoch + 1}/${epochs}, step ${steps}${of}${time}  ${formatLosses(losses)}`;
    return cutText(line, columns - 1);
  };
  const stop = (): void => {
    bar?.stop();
    bar = undefined;
  };
  const start = (): void => {
    if (stream.isTTY !== true || bar !== undefined) return;
    bar = new SingleBar({
      stream: stream as WriteStream,
      hideCursor: true,
      clearOnComplete: true,
      gracefulExit: false,
      linewrap: true,
      fps: 8,
      format: () => text(stream.columns ?? 80),
    });
    bar.start(1, 0);
  };

  return {
    onTrainBegin: ({ epoch: number, batch }) => {
      began = now();
      epoch = number;
      steps = batch;
      before = epoch + (stepsPerEpoch === undefined ? 0 : Math.min(1, batch / stepsPerEpoch));
      if (batch > 0) start();
    },
    onEpochBegin: (number) => {
      epoch = number;
      steps = 0;
      start();
    },
    onBatchEnd: (_, report) => {
      steps += 1;
      losses = report.losses;
      bar?.update(0);
    },
    onEpochEnd: (number, logs: Logs) => {
      stepsPerEpoch ??= Math.max(1, steps);
      // The bar gives way to the line and is drawn anew below it.
      stop();
      stream.write(`epoch ${number + 1}/${epochs}  ${formatLosses(logs)}\n`);
    },
    onTrainEnd: stop,
  };
}
