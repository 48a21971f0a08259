import { checkKnownOptions, type OptionNames } from '@multigrad/core/support';
import process from 'node:process';
import type { WriteStream } from 'node:tty';
import { MultigradError } from '@multigrad/core/strategy';
import type { Logs, StepReport, TrainerCallback } from '@multigrad/core';
import { SingleBar } from 'cli-progress';
import { formatDuration } from './duration.ts';
import { cutText, drawBar, formatLosses } from './text.ts';

/** Options of {@link progressBar}. */
export interface ProgressBarOptions {
  /** Where it is drawn. @defaultValue `process.stdout` */
  readonly stream?: Pick<WriteStream, 'write'> & Partial<Pick<WriteStream, 'isTTY' | 'columns'>>;
  /** Steps of an epoch, an integer >= 1; where absent, they are counted in the first epoch. */
  readonly stepsPerEpoch?: number;
  /** Milliseconds on any clock. @defaultValue `Date.now` */
  readonly now?: () => number;
}

const optionNames: OptionNames<ProgressBarOptions> = {
  stream: true,
  stepsPerEpoch: true,
  now: true,
};

/**
 * Shows the progress of training: on a terminal a bar that moves and a line for each epoch that ended, elsewhere the
 * lines alone.
 *
 * @throws MultigradError `invalid-option`
 *
 * @example
 * ```ts
 * import { progressBar } from '@multigrad/callbacks';
 *
 * const lines: string[] = [];
 * const bar = progressBar({ stream: { write: (line: string) => lines.push(line) > 0 } });
 * // `fit` calls these.
 * await bar.onTrainBegin!({ step: 0, epoch: 0, batch: 0, epochs: 2, variables: [] });
 * await bar.onEpochEnd!(0, { loss: 0.5, val_loss: 0.75 });
 * console.log(lines[0]); // epoch 1/2  loss 0.500, val_loss 0.750
 * ```
 */
export function progressBar(options: ProgressBarOptions = {}): TrainerCallback {
  checkKnownOptions('progressBar', options, optionNames);
  // eslint-disable-next-line no-restricted-properties -- whoever has a clock of their own passes it
  const { stream = process.stdout, now = Date.now } = options;
  let { stepsPerEpoch } = options;
  if (stepsPerEpoch !== undefined && !(Number.isInteger(stepsPerEpoch) && stepsPerEpoch >= 1)) {
    throw new MultigradError(
      'invalid-option',
      `Option \`stepsPerEpoch\` should be an integer >= 1. Found ${stepsPerEpoch}.`,
    );
  }
  let bar: SingleBar | undefined;
  let epochs = 1;
  /** Epochs that were done before this `fit`, with a fraction for steps. */
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
    onTrainBegin: ({ epoch: number, batch, epochs: all }) => {
      began = now();
      epochs = all;
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
    release: stop,
  };
}
